using KcdDelegation.Headers;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Tickets;

/// <summary>Tickets of several users for one service, with the same size and key type. One user is not enough, because a user has
/// 967,232 timestamps per second.</summary>
internal sealed class TicketSet : IAsyncDisposable
{
    public const string Realm = "BENCH.TEST";
    public const string Service = "HTTP/app.bench.test";

    private readonly TestRealm _realm;
    private readonly AuthorizationTemplateCache _templates = new();

    private TicketSet(TestRealm realm) => _realm = realm;

    public required IReadOnlyList<ServiceTicket> Tickets { get; init; }

    /// <summary>Gets the credentials of the tickets. Their templates are cached, as in a delegation client.</summary>
    public DelegatedCredential[] Credentials { get; private set; } = [];

    /// <summary>Gets the acceptor that validates the output of a case, like a web server.</summary>
    public required TestAcceptor Acceptor { get; init; }

    /// <param name="type">The type of the ticket key and the session key.</param>
    /// <param name="cipherBytes">The approximate length of the ticket's encrypted part.</param>
    /// <param name="users">The number of users.</param>
    /// <param name="path">The implementation that encrypts the authenticators.</param>
    public static TicketSet Create(EncryptionType type, int cipherBytes, int users = 16, CipherPath path = CipherPath.Automatic)
    {
        var realm = TestRealm.Start(Realm).Service(Service, encryptionTypes: [type]);
        for (var user = 0; user < users; user++)
            realm.User($"user{user:00}");

        // The size of the ticket without the PAC is measured with a small PAC.
        var rest = CipherLength(realm, 600) - 600;
        realm.PacSize(Math.Max(600, cipherBytes - rest));
        var tickets = Enumerable.Range(0, users).Select(user => realm.IssueTicket($"user{user:00}", Service)).Select(ticket =>
            With(ticket, path)).ToList();
        var set = new TicketSet(realm) { Tickets = tickets, Acceptor = new TestAcceptor(realm, Service) };
        set.Credentials =
            [.. tickets.Select(ticket => new DelegatedCredential(ticket, set._templates, MutualAuthentication.Off, isFromCache: true))];
        return set;
    }

    public ValueTask DisposeAsync() => _realm.DisposeAsync();

    private static int CipherLength(TestRealm realm, int pacSize) =>
        realm.PacSize(pacSize).IssueTicket("user00", Service).Issued.Ticket.EncryptedPart.Cipher.Length;

    private static ServiceTicket With(ServiceTicket ticket, CipherPath path) =>
        new(ticket.Issued, ticket.Service, securityIdentifier: null, ticket.Clock) { CipherPath = path };
}
