using System.Text.Encodings.Web;
using KcdDelegation.Testing;

namespace KcdDelegation.Samples.GatewayDemo;

/// <summary>The application behind the gateway. It knows Kerberos only, and shows the user of the ticket.</summary>
internal sealed class DemoApplication(TestRealm realm)
{
    public Task AnswerAsync(HttpContext context)
    {
        var user = context.Features.Get<AcceptedIdentity>()!;
        var name = user.SamAccountName ?? user.User.ToString();
        return Page.WriteAsync(context, $"Hello, {name}", $"""
            <p>This application accepts Kerberos tickets only. The gateway sent one in your name.</p>
            <dl>
            <dt>User of the ticket</dt><dd id="user">{Encode(user.User.ToString())}</dd>
            <dt>Header</dt><dd>Authorization: Negotiate ({Encode(user.Format.ToString())})</dd>
            <dt>Path</dt><dd>{Encode(context.Request.Path + context.Request.QueryString)}</dd>
            <dt>Cookies received</dt><dd>{context.Request.Cookies.Count}</dd>
            </dl>
            <h2>What the KDC was asked</h2>
            <pre>{Encode(string.Join('\n', realm.Transcript))}</pre>
            <form method="post" action="/.kcd/sign-out"><button>Sign out</button></form>
            """);
    }

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);
}
