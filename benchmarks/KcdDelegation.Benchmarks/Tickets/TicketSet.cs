using KcdDelegation.Headers;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Tickets;

/// <summary>Tickets of several users for one service, all of one size and type of key. Several, because the stamps of one user are
/// finite: 967,232 a second.</summary>
internal sealed class TicketSet : IAsyncDisposable
{
    public const string Realm = "BENCH.TEST";
    public const string Service = "HTTP/app.bench.test";

    private readonly TestRealm _realm;
    private readonly AuthorizationTemplateCache _templates = new();

    private TicketSet(TestRealm realm) => _realm = realm;

    public required IReadOnlyList<ServiceTicket> Tickets { get; init; }

    /// <summary>Of the tickets; their templates are kept, as an authenticator keeps them.</summary>
    public DelegatedCredential[] Credentials { get; private set; } = [];

    /// <summary>Checks what a case made, as a web server would.</summary>
    public required TestAcceptor Acceptor { get; init; }

    /// <param name="type">Of ticket and session key.</param>
    /// <param name="cipherBytes">Length of the ticket's encrypted part, about.</param>
    /// <param name="users">How many.</param>
    /// <param name="path">Whose cryptography makes the authenticators.</param>
    public static TicketSet Create(EncryptionType type, int cipherBytes, int users = 16, CipherPath path = CipherPath.Automatic)
    {
        var realm = TestRealm.Start(Realm).Service(Service, encryptionTypes: [type]);
        for (var user = 0; user < users; user++)
            realm.User($"user{user:00}");

        // What the ticket holds beside the PAC is found with a PAC that is small for sure.
        var rest = CipherLength(realm, 600) - 600;
        realm.PacSize(Math.Max(600, cipherBytes - rest));
        var tickets = Enumerable.Range(0, users).Select(user => realm.IssueTicket($"user{user:00}", Service)).Select(ticket => With(ticket, path)).ToList();
        var set = new TicketSet(realm) { Tickets = tickets, Acceptor = new TestAcceptor(realm, Service) };
        set.Credentials = [.. tickets.Select(ticket => new DelegatedCredential(ticket, set._templates, MutualAuthentication.Off))];
        return set;
    }

    public ValueTask DisposeAsync() => _realm.DisposeAsync();

    private static int CipherLength(TestRealm realm, int pacSize) =>
        realm.PacSize(pacSize).IssueTicket("user00", Service).Issued.Ticket.EncryptedPart.Cipher.Length;

    private static ServiceTicket With(ServiceTicket ticket, CipherPath path) =>
        new(ticket.Issued, ticket.Service, securityIdentifier: null, ticket.Clock) { CipherPath = path };
}
