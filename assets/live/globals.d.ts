// What the scripts of the page find in the window, for TypeScript's check of them:
// scripts/check-js
interface Window {
  htmx: {
    ajax(verb: string, path: string, context: { source?: string; swap?: string; values?: Record<string, string> }): Promise<void>;
    trigger(element: Element | string, event: string, detail?: unknown): void;
  };
  Idiomorph?: {
    defaults: {
      callbacks: { beforeAttributeUpdated?: (name: string, node: Node, kind: string) => boolean };
    };
  };
}
