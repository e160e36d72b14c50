// The little of these packages that the examples use, so that their types can be checked without installing them.
// In your app the packages bring their own; leave this file behind.

declare module "@clerk/expo" {
  export function useAuth(): {
    isSignedIn: boolean | undefined;
    userId: string | null | undefined;
    getToken: () => Promise<string | null>;
  };
}

declare module "@clerk/nextjs/server" {
  export function auth(): Promise<{ userId: string | null }>;
  export function currentUser(): Promise<{ fullName: string | null; imageUrl: string } | null>;
}

declare module "expo-secure-store" {
  export const WHEN_UNLOCKED_THIS_DEVICE_ONLY: number;
  export function getItemAsync(key: string): Promise<string | null>;
  export function setItemAsync(key: string, value: string, options?: { keychainAccessible?: number }): Promise<void>;
  export function deleteItemAsync(key: string): Promise<void>;
}

declare module "@react-native-async-storage/async-storage" {
  const storage: {
    getItem(key: string): Promise<string | null>;
    setItem(key: string, value: string): Promise<void>;
    removeItem(key: string): Promise<void>;
    getAllKeys(): Promise<readonly string[]>;
  };
  export default storage;
}

declare module "react-native" {
  export const AppState: {
    addEventListener(
      type: "change",
      listener: (state: "active" | "background" | "inactive" | "unknown" | "extension") => void,
    ): { remove(): void };
  };
}
