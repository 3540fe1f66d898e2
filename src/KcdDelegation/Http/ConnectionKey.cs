using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>The key of a set of connections: requests with equal keys may use the same connections.</summary>
/// <remarks>A backend can tie a user to the TCP connection (RFC 4559 §6, the default of IIS). Different users therefore share connections
/// only if the application declares that it authenticates every request.</remarks>
/// <param name="User">The user's principal, compared ordinally; null: shared by all users.</param>
/// <param name="Service">The service of the tickets that are sent.</param>
/// <param name="Address">The configured address of the server, of which the scheme, host and port count. Servers of one application do not
/// share connections.</param>
/// <param name="ChannelBinding">Whether the tickets are bound to the certificate, which then must stay the same for the lifetime of the
/// connections.</param>
/// <param name="RequiresChannelBinding">Whether a certificate without a channel binding is refused.</param>
/// <param name="Host">The Host header of https requests; null: the origin's own. .NET uses it as the server's name in TLS, so another value
/// may select another certificate.</param>
internal readonly record struct ConnectionKey(
    KerberosPrincipal? User,
    ServicePrincipalName Service,
    Uri Address,
    bool ChannelBinding,
    bool RequiresChannelBinding = false,
    string? Host = null)
{
    /// <summary>Gets the scheme, host and port.</summary>
    public string Origin => Address.GetLeftPart(UriPartial.Authority);

    /// <summary>Creates the key of a request.</summary>
    /// <param name="application">The application.</param>
    /// <param name="user">The user of the ticket.</param>
    /// <param name="request">The request.</param>
    /// <param name="origin">The origin of the request's target, from <see cref="RequestTarget.GetOrigin"/>.</param>
    public static ConnectionKey Create(ApplicationSettings application, KerberosPrincipal user, HttpRequestMessage request, Uri origin)
    {
        var isTls = origin.Scheme == Uri.UriSchemeHttps;
        return new ConnectionKey(
            application.ShareConnectionsBetweenUsers ? null : user,
            application.Service,
            origin,
            application.ChannelBinding && isTls,
            application.RequireChannelBinding && isTls,
            isTls && request.Headers.Host is { } host && !RequestTarget.IsOwnHost(origin, host) ? host.ToLowerInvariant() : null);
    }

    public bool Equals(ConnectionKey other) =>
        ChannelBinding == other.ChannelBinding
        && RequiresChannelBinding == other.RequiresChannelBinding
        && (ReferenceEquals(User, other.User) || (User is not null && User.Equals(other.User)))
        && (ReferenceEquals(Service, other.Service) || Service.Equals(other.Service))
        && (ReferenceEquals(Address, other.Address) || IsSameOrigin(Address, other.Address))
        && string.Equals(Host, other.Host, StringComparison.Ordinal);

    /// <summary>Hashes the user's name only. The other members have few values.</summary>
    public override int GetHashCode() => User is null ? 0 : User.Name.GetHashCode(StringComparison.Ordinal);

    private static bool IsSameOrigin(Uri one, Uri other) =>
        one.Port == other.Port
        && string.Equals(one.Scheme, other.Scheme, StringComparison.Ordinal)
        && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);
}
