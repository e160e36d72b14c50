/** What bundlers call of React's fast refresh. The package has no types of its own. */
declare module "react-refresh/runtime" {
  /** Before React DOM is loaded, which asks for the hook then. */
  export function injectIntoGlobalHook(global: object): void;
  /** A component of a module, under a name that stays the same over edits. */
  export function register(component: unknown, id: string): void;
  /** Which hooks a component uses: other ones, or `forceReset`, and it is mounted anew. Called without anything in a render. */
  export function createSignatureFunctionForTransform(): (
    component?: unknown,
    key?: string,
    forceReset?: boolean,
    customHooks?: () => unknown[],
  ) => unknown;
  /** Puts the newest registered components in place of those before. */
  export function performReactRefresh(): unknown;
}
