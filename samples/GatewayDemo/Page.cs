using System.Text.Encodings.Web;

namespace KcdDelegation.Samples.GatewayDemo;

/// <summary>The look of the pages of the sample.</summary>
internal static class Page
{
    private const string Style = """
        :root{color-scheme:light dark;
        --back:#f4f5f7;--card:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--mark:#0b5cad;--button:#0b5cad}
        @media(prefers-color-scheme:dark){:root{
        --back:#0d1117;--card:#161b22;--text:#e6edf3;--soft:#9aa5b1;--line:#30363d;--mark:#79b8ff;--button:#1f6feb}}
        *{box-sizing:border-box}
        body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.25rem;background:var(--back);color:var(--text);
        font:1rem/1.55 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
        main{width:100%;max-width:40rem;padding:clamp(1.25rem,5vw,2.5rem);background:var(--card);
        border:1px solid var(--line);border-top:.3rem solid var(--mark);border-radius:.6rem}
        h1{margin:0 0 1rem;font-size:clamp(1.3rem,4.5vw,1.7rem);line-height:1.25}
        h2{margin:1.5rem 0 .4rem;font-size:1rem}
        p{margin:0 0 .75rem}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1rem;margin:0;font-size:.95rem}
        dt{color:var(--soft)}
        dd{margin:0;overflow-wrap:anywhere}
        dd,pre{font-family:ui-monospace,"Cascadia Mono",Menlo,"DejaVu Sans Mono",monospace}
        pre{margin:0;padding:.75rem 1rem;background:var(--back);border-radius:.4rem;font-size:.85rem;white-space:pre-wrap;
        overflow-wrap:anywhere}
        form{display:flex;gap:.75rem;flex-wrap:wrap;margin-top:1.5rem}
        button{padding:.55rem 1.2rem;border:0;border-radius:.4rem;background:var(--button);color:#fff;font:inherit;cursor:pointer}
        button:focus-visible{outline:.2rem solid var(--mark);outline-offset:.15rem}
        @media(max-width:28rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}}
        """;

    /// <summary>Writes a page.</summary>
    /// <param name="context">The request.</param>
    /// <param name="title">The title, as text.</param>
    /// <param name="content">The elements below the title, as HTML.</param>
    public static Task WriteAsync(HttpContext context, string title, string content)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        var text = HtmlEncoder.Default.Encode(title);
        return context.Response.WriteAsync(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{text}</title>
            <style>{Style}</style>
            </head>
            <body><main>
            <h1>{text}</h1>
            {content}
            </main></body>
            </html>
            """,
            context.RequestAborted);
    }
}
