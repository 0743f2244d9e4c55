// What the scripts of the page find in the window: for `tsc --checkJs`.
interface Window {
  htmx: {
    ajax(verb: string, path: string, context: { source?: string; swap?: string; values?: Record<string, string> }): Promise<void>;
    trigger(element: Element | string, event: string, detail?: unknown): void;
  };
  Idiomorph?: { defaults: { ignoreActiveValue: boolean } };
}
