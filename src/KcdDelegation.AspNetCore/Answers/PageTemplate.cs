using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Answers;

/// <summary>The look of the pages. They have no script and load nothing. Their style is allowed by hash, and a page is readable without
/// it.</summary>
internal static class PageTemplate
{
    private const string Style = """
        :root{color-scheme:light dark;
        --back:#f4f5f7;--card:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--mark:#9a3412;--link:#0b5cad}
        @media(prefers-color-scheme:dark){:root{
        --back:#0d1117;--card:#161b22;--text:#e6edf3;--soft:#9aa5b1;--line:#30363d;--mark:#f0a35e;--link:#79b8ff}}
        *{box-sizing:border-box}
        body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.25rem;background:var(--back);color:var(--text);
        font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
        main{width:100%;max-width:40rem;padding:clamp(1.25rem,5vw,2.5rem);background:var(--card);
        border:1px solid var(--line);border-top:.3rem solid var(--mark);border-radius:.6rem}
        main.notice{border-top-color:var(--link)}
        h1{margin:0 0 1rem;font-size:clamp(1.3rem,4.5vw,1.7rem);line-height:1.25;text-wrap:balance}
        h2{margin:1.75rem 0 .4rem;font-size:1rem}
        p{margin:0 0 .75rem}
        a{color:var(--link)}
        a.action{display:inline-block;margin:.25rem 0;padding:.5rem 1.1rem;border-radius:.4rem;background:var(--link);color:var(--card);
        text-decoration:none}
        a:focus-visible{outline:.2rem solid var(--link);outline-offset:.15rem}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1rem;margin:1.75rem 0 0;padding-top:1.25rem;
        border-top:1px solid var(--line);font-size:.9rem}
        dt{color:var(--soft)}
        dd{margin:0;overflow-wrap:anywhere;font-family:ui-monospace,"Cascadia Mono",Menlo,"DejaVu Sans Mono",monospace}
        @media(max-width:28rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}}
        @media print{body{background:none}main{border:0}}
        """;

    /// <summary>Allows this page's own style and nothing else, not even to be shown in a frame.</summary>
    private static readonly string s_contentSecurityPolicy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Writes a page as the body of the response.</summary>
    public static async Task WriteAsync(HttpContext context, string page)
    {
        var body = Encoding.UTF8.GetBytes(page);
        var response = context.Response;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = body.Length;
        response.Headers.Append("Content-Security-Policy", s_contentSecurityPolicy);
        response.Headers["Referrer-Policy"] = "no-referrer";
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Returns the page of an error.</summary>
    /// <param name="title">The title, as text.</param>
    /// <param name="content">The elements below the title, as HTML.</param>
    /// <param name="activityId">The identifier with which an administrator finds the request in the log.</param>
    /// <param name="at">The time of the answer.</param>
    /// <param name="status">The status code.</param>
    /// <param name="facts">Further facts for the administrator, as text.</param>
    public static string Render(
        string title, string content, string activityId, DateTimeOffset at, int status,
        IEnumerable<KeyValuePair<string, string>>? facts = null)
    {
        var date = at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var time = at.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        var further = string.Concat((facts ?? []).Select(static fact => $"\n<dt>{Encode(fact.Key)}</dt><dd>{Encode(fact.Value)}</dd>"));
        return RenderDocument(title, "main", $"""
            {content}
            <dl>
            <dt>Activity ID</dt><dd>{Encode(activityId)}</dd>
            <dt>Time</dt><dd><time datetime="{date}T{time}Z">{date} {time} UTC</time></dd>
            <dt>Status</dt><dd>{status.ToString(CultureInfo.InvariantCulture)}</dd>{further}
            </dl>
            """);
    }

    /// <summary>Returns a page that reports no error.</summary>
    /// <param name="title">The title, as text.</param>
    /// <param name="content">The elements below the title, as HTML.</param>
    public static string RenderNotice(string title, string content) => RenderDocument(title, "main class=\"notice\"", content);

    /// <summary>Returns the sentence with which a page names the contact, as HTML.</summary>
    public static string RenderContact(string contact, Uri? address)
    {
        var name = address is null ? Encode(contact) : $"<a href=\"{Encode(address.AbsoluteUri)}\">{Encode(contact)}</a>";
        return $"<p>If you need help, contact {name}. Include the activity ID and the time below.</p>";
    }

    /// <summary>Returns a link of a page, as HTML.</summary>
    public static string RenderLink(string text, string address) =>
        $"<p><a class=\"action\" href=\"{Encode(address)}\">{Encode(text)}</a></p>";

    /// <summary>Returns a text as HTML.</summary>
    public static string Encode(string text) => HtmlEncoder.Default.Encode(text);

    private static string RenderDocument(string title, string startTag, string content) => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="robots" content="noindex">
        <title>{Encode(title)}</title>
        <style>{Style}</style>
        </head>
        <body>
        <{startTag}>
        <h1>{Encode(title)}</h1>
        {content}
        </main>
        </body>
        </html>

        """;
}
