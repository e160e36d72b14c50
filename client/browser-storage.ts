import { keepIn } from "./kept.ts";
import type { ChatStorage, OpenKept } from "./types.ts";

const STORE = "entries";

/**
 * Keeps the outbox and the newest messages in the browser's IndexedDB, for all tabs of an origin.
 *
 * @param name The database's name, when an app has more than one chat.
 * @example
 * const client = new ChatClient({ apiUrl, getToken, storage: browserStorage() });
 */
export function browserStorage(name = "parley"): OpenKept {
  return keepIn(indexedDbStorage(name));
}

function indexedDbStorage(name: string): ChatStorage {
  let opening: Promise<IDBDatabase> | undefined;
  const run = async <Value>(
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore) => IDBRequest<Value>,
  ): Promise<Value> => {
    opening ??= open(name, () => (opening = undefined));
    const database = await opening;
    const transaction = database.transaction(STORE, mode);
    const request = act(transaction.objectStore(STORE));
    return new Promise((resolve, reject) => {
      // Not at the request's success: what is told as kept must survive a closed tab.
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("The transaction was aborted"));
    });
  };
  return {
    get: (key) => run("readonly", (store) => store.get(key) as IDBRequest<string | undefined>),
    set: async (key, value) => void (await run("readwrite", (store) => store.put(value, key))),
    delete: (key) => run("readwrite", (store) => store.delete(key)),
    keys: async (prefix) => {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      return (await run("readonly", (store) => store.getAllKeys(range))).filter((key) => typeof key === "string");
    },
  };
}

function open(name: string, onGone: () => void): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  return new Promise((resolve, reject) => {
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => {
      const database = request.result;
      // Another tab deletes or changes the database, or the browser takes it away: the next use opens it anew.
      database.onversionchange = () => {
        database.close();
        onGone();
      };
      database.onclose = onGone;
      resolve(database);
    };
    request.onerror = () => {
      onGone();
      reject(request.error ?? new Error("The database does not open"));
    };
  });
}
