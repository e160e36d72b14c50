import AsyncStorage from "@react-native-async-storage/async-storage";
import { type ChatPlatform, keepIn } from "parley";
import { AppState } from "react-native";

/** Tells the client when the app goes to the background and comes back. */
export const watch: ChatPlatform["watch"] = (tell) => {
  const subscription = AppState.addEventListener("change", (state) => {
    if (state === "active") tell("visible");
    if (state === "background") tell("hidden");
  });
  return () => subscription.remove();
};

/**
 * Messages that wait to be sent and the newest of each room, for when the app is closed. AsyncStorage is not encrypted:
 * leave it out where conversations must not lie on the device. Tokens never go here.
 */
export const messages = keepIn({
  get: (key) => AsyncStorage.getItem(key),
  set: (key, value) => AsyncStorage.setItem(key, value),
  delete: (key) => AsyncStorage.removeItem(key),
  keys: async (prefix) => (await AsyncStorage.getAllKeys()).filter((key) => key.startsWith(prefix)),
});
