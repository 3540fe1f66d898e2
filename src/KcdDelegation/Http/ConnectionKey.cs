using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>The key of a set of connections: requests with equal keys may use the same connections.</summary>
/// <remarks>A backend can tie a user to the TCP connection (RFC 4559 §6, the default of IIS). Different users therefore share connections
/// only if the application declares that it authenticates every request.</remarks>
/// <param name="User">The user's principal, compared ordinally; null: shared by all users.</param>
/// <param name="Service">The service of the tickets that are sent.</param>
/// <param name="Origin">The scheme, host and port.</param>
/// <param name="ChannelBinding">Whether the tickets are bound to the certificate, which then must stay the same for the lifetime of the
/// connections.</param>
internal readonly record struct ConnectionKey(KerberosPrincipal? User, ServicePrincipalName Service, string Origin, bool ChannelBinding)
{
    public static ConnectionKey Create(ApplicationSettings application, KerberosPrincipal user) => new(
        application.ShareConnectionsBetweenUsers ? null : user,
        application.Service,
        application.InternalUrl.GetLeftPart(UriPartial.Authority),
        application.ChannelBinding && application.InternalUrl.Scheme == Uri.UriSchemeHttps);
}
