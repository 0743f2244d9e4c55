// What the scripts of the page find in the window, for TypeScript's check of them:
// npx -p typescript tsc --noEmit --allowJs --checkJs --strict --target es2022 --lib es2022,dom,dom.iterable assets/live/*.js assets/live/globals.d.ts
// (without the bundled libraries, *.min.js)
interface Window {
  htmx: {
    ajax(verb: string, path: string, context: { source?: string; swap?: string; values?: Record<string, string> }): Promise<void>;
    trigger(element: Element | string, event: string, detail?: unknown): void;
  };
  Idiomorph?: {
    defaults: {
      ignoreActiveValue: boolean;
      callbacks: { beforeAttributeUpdated?: (name: string, node: Node, kind: string) => boolean };
    };
  };
}
