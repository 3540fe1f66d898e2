using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>The key of a set of connections: requests with equal keys may use the same connections.</summary>
/// <remarks>A backend can tie a user to the TCP connection (RFC 4559 §6, the default of IIS). Different users therefore share connections
/// only if the application declares that it authenticates every request.</remarks>
/// <param name="User">The user's principal, compared ordinally; null: shared by all users.</param>
/// <param name="Service">The service of the tickets that are sent.</param>
/// <param name="Origin">The scheme, host and port. Servers of one application do not share connections.</param>
/// <param name="ChannelBinding">Whether the tickets are bound to the certificate, which then must stay the same for the lifetime of the
/// connections.</param>
/// <param name="Host">The Host header of https requests; null: the origin's own. .NET uses it as the server's name in TLS, so another value
/// may select another certificate.</param>
internal readonly record struct ConnectionKey(
    KerberosPrincipal? User, ServicePrincipalName Service, string Origin, bool ChannelBinding, string? Host = null)
{
    /// <summary>Creates the key of a request, whose target has passed <see cref="RequestTarget"/>.</summary>
    public static ConnectionKey Create(ApplicationSettings application, KerberosPrincipal user, HttpRequestMessage request)
    {
        var origin = RequestTarget.FindOrigin(application, request.RequestUri!)!;
        var isTls = origin.Scheme == Uri.UriSchemeHttps;
        return new ConnectionKey(
            application.ShareConnectionsBetweenUsers ? null : user,
            application.Service,
            origin.GetLeftPart(UriPartial.Authority),
            application.ChannelBinding && isTls,
            isTls && request.Headers.Host is { } host && !RequestTarget.IsOwnHost(origin, host) ? host.ToLowerInvariant() : null);
    }
}
