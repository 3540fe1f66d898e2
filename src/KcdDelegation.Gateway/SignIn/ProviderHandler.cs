using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The platform's OpenID Connect client, with a bound on the cookies of unfinished sign-ins.</summary>
internal sealed class ProviderHandler(
    IOptionsMonitor<OpenIdConnectOptions> options, ILoggerFactory loggerFactory, HtmlEncoder htmlEncoder, UrlEncoder urlEncoder,
    PendingSignIns pending)
    : OpenIdConnectHandler(options, loggerFactory, htmlEncoder, urlEncoder)
{
    private const string IdentifierItem = "kcd.sign_in";

    protected override void GenerateCorrelationId(AuthenticationProperties properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        properties.Items[IdentifierItem] = pending.Begin(Context);
    }

    protected override bool ValidateCorrelationId(AuthenticationProperties properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        return properties.Items.Remove(IdentifierItem, out var identifier) && pending.TryEnd(Context, identifier);
    }
}
