using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>Who may use a connection. A backend can tie a user to the TCP connection (RFC 4559 §6, the default of IIS), so connections of
/// different users never meet unless the application says that it authenticates every request.</summary>
/// <param name="User">As the KDC knows him, compared ordinally; null: shared by all users.</param>
/// <param name="Service">Whose tickets go over it.</param>
/// <param name="Origin">Scheme, host and port.</param>
/// <param name="ChannelBinding">Whether its tickets are bound to the certificate, which then must be one for the connection's whole life.</param>
internal readonly record struct ConnectionKey(KerberosPrincipal? User, ServicePrincipalName Service, string Origin, bool ChannelBinding)
{
    public static ConnectionKey Create(ApplicationSettings application, KerberosPrincipal user) => new(
        application.ShareConnectionsBetweenUsers ? null : user,
        application.Service,
        application.InternalUrl.GetLeftPart(UriPartial.Authority),
        application.ChannelBinding && application.InternalUrl.Scheme == Uri.UriSchemeHttps);
}
