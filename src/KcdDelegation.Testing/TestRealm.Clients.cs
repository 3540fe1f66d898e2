using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing;

/// <content>Settings, keytabs, clients and tickets for tests.</content>
public sealed partial class TestRealm
{
    /// <summary>Creates the library's settings for an account of this realm: realm, KDC, account, keytab and token settings.</summary>
    /// <remarks>The KDCs of trusted realms are included. The keytab has the account's present keys and is deleted with the realm. After
    /// <see cref="TestRealmChanges.RollKeys"/>, write it again with <see cref="WriteKeytabAsync"/>.</remarks>
    /// <param name="account">An account added with <see cref="Account"/>.</param>
    /// <param name="issuer">The issuer of the tokens; null: the host validates tokens itself.</param>
    /// <returns>Settings without applications: add those of <see cref="TestBackend.CreateApplication"/>.</returns>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    public KcdOptions CreateOptions(string account, TestIssuer? issuer = null)
    {
        var options = new KcdOptions();
        Configure(options, account, issuer);
        return options;
    }

    /// <summary>Writes the newest AES keys of an account or service to an MIT keytab (version 0502) with mode 0600. The entries are under
    /// the account's name and its service principal names.</summary>
    /// <param name="account">Account or service principal name.</param>
    /// <param name="path">The file. It is created or replaced in one step.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="ArgumentException">The realm has no such account.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public Task WriteKeytabAsync(string account, string path, CancellationToken cancellationToken = default) =>
        KeytabWriter.WriteAsync(path, AccountKeytab.CreateEntries(Name, _state.Accounts.Get(account), _state.Now), cancellationToken);

    /// <summary>Creates a client that delegates with an account, by its password and over TCP. It knows the KDCs of all realms that are
    /// trusted now.</summary>
    /// <param name="account">An account added with <see cref="Account"/>.</param>
    /// <returns>A client, to be disposed before the realm.</returns>
    /// <exception cref="ArgumentException">The realm has no such account, or the account has no password.</exception>
    public S4UClient CreateClient(string account) => new(_clients.CreateClientOptions(account));

    /// <summary>Creates an account with its present password, for options that a test writes itself. It is disposed with the
    /// realm.</summary>
    /// <exception cref="ArgumentException">The realm has no such account, or the account has no password.</exception>
    public ServiceAccount CreateServiceAccount(string account) => _clients.CreateServiceAccount(account);

    /// <summary>Gets a user's ticket for a service by S4U2Self and S4U2Proxy. All calls with the same account share one client, whose cache
    /// answers the second call.</summary>
    /// <param name="account">The account that delegates.</param>
    /// <param name="user">The user to act as: with an at sign an enterprise name, else a principal of this realm.</param>
    /// <param name="service">The target's service principal name.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The realm has no such account, or the account has no password.</exception>
    /// <exception cref="KerberosException">The KDC refused, or a fault was added.</exception>
    public ValueTask<ServiceTicket> GetTicketAsync(
        string account, string user, string service, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        var principal = user.Contains('@', StringComparison.Ordinal)
            ? KerberosPrincipal.Enterprise(user)
            : KerberosPrincipal.Principal(user, Name);
        return _clients.GetShared(account).GetTicketAsync(principal, ServicePrincipalName.Parse(service), cancellationToken);
    }

    /// <summary>Issues the ticket of a user who logged on with their own password: what a browser sends to a gateway, and evidence for
    /// delegation without protocol transition. It is not in the transcript.</summary>
    /// <param name="user">A user of this realm, or name@REALM of a trusted one.</param>
    /// <param name="service">A service principal name of this realm.</param>
    /// <param name="flags">The ticket's flags. Without <see cref="TicketFlags.Forwardable"/> it cannot be used as evidence.</param>
    /// <exception cref="ArgumentException">The realm has no such user or service.</exception>
    public ServiceTicket IssueTicket(
        string user, string service, TicketFlags flags = TicketFlags.Forwardable | TicketFlags.PreAuthenticated) =>
        UserLogOn.Issue(_state, _state.TimeProvider, user, ServicePrincipalName.Parse(service), flags);

    internal void Configure(KcdOptions options, string account, TestIssuer? issuer)
    {
        _clients.Configure(options, account);
        issuer?.Configure(options.Token);
    }
}
