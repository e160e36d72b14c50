import * as refresh from "react-refresh/runtime";

// React DOM looks for the hook when it is loaded, so this file is imported before whatever imports that.
refresh.injectIntoGlobalHook(globalThis);

export const { createSignatureFunctionForTransform, performReactRefresh, register } = refresh;
