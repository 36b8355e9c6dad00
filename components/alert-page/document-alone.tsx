/**
 * Where only the document of an alert came through, and no stylesheet: enough for it to be read and used. The layer is the lowest
 * there is (globals.css names it first), so with the stylesheet it decides nothing.
 */
export function DocumentAlone({ nonce }: { nonce: string }) {
  return <style nonce={nonce}>{css}</style>;
}

const css = `@layer alone{
:root{color-scheme:light dark}
body{margin:0;font:15px/20px system-ui,sans-serif}
body>:not(main),.copy,.sr-only,.hidden{display:none}
.alert-page{max-width:40rem;margin:0 auto;padding:8px 16px 200px}
.alert-page h1{font-size:25px;line-height:29px;margin:4px 0}
.alert-page h2{font-size:15px;margin:16px 0 4px}
.alert-page p{margin:6px 0}
.alert-page ul,.alert-page ol,.alert-page dl,.alert-page dd,.alert-page figure{margin:0;padding:0;list-style:none}
.chip{font-weight:600;color:#d43b24;margin-right:12px}
.alert-page p a{margin-right:12px}
.facts>div{display:grid;grid-template-columns:24px 80px 1fr;padding:8px 0;border-top:1px solid #8886}
.facts span{display:block}
.legend li{display:inline-block;margin-right:12px}
.strip{display:flex;height:20px}
.strip svg{height:20px;width:0;min-width:2px}
.alert-page svg{max-width:100%}
.bar{position:fixed;left:0;right:0;bottom:0;padding:8px 16px;background:Canvas;border-top:1px solid #8886}
.bar form{display:inline-block;margin-right:12px}
.bar button,.work button,.bar a{font:inherit;min-height:44px;padding:0 16px;border:1px solid #888;border-radius:12px;background:none;color:inherit}
.bar a{display:inline-flex;align-items:center;text-decoration:none}
.bar .more a,.bar .more button{border:0;padding:0 12px 0 0;text-decoration:underline}
.bar .primary{background:CanvasText;color:Canvas;font-weight:600}
.work input,.work textarea{font:inherit;min-height:44px;width:100%;box-sizing:border-box}
.stroke-ink{stroke:CanvasText}.fill-ink,.fill-ink2,.fill-ink3{fill:CanvasText}.stroke-ink3{stroke:#8a949f}
.stroke-over{stroke:#e0452f}.fill-over{fill:#e0452f}
.fill-net{fill:#3f7fdc}.stroke-net{stroke:#3f7fdc}.fill-cpu{fill:#c09a60}.stroke-cpu{stroke:#c09a60}
.fill-brk{fill:#7386a0}.stroke-brk{stroke:#7386a0}.fill-raised{fill:#8883}
}`;
