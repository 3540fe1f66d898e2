using System.Net;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;

namespace KcdDelegation.DirectoryServices.Tests.Servers;

/// <summary>A client of lying servers, with the embedded KDC that issues the tickets to them.</summary>
internal sealed class TestDirectory : IAsyncDisposable
{
    private const string Host = "dc.test.example";

    private readonly TestRealm _realm = TestRealm.Start().Account("reader$").Service($"ldap/{Host}").Service("ldap/dc2.test.example");
    private readonly S4UClient _reader;
    private readonly List<LyingServer> _servers = [];
    private readonly List<string> _names = [];

    public TestDirectory(Action<DirectoryClientOptions>? configure = null, int servers = 1)
    {
        _reader = _realm.CreateClient("reader$");
        for (var i = 0; i < servers; i++)
        {
            var name = i == 0 ? Host : $"dc{i + 1}.test.example";
            _servers.Add(new LyingServer { Ticket = () => Ticket(name) });
            _names.Add(name);
        }
        Client = new DirectoryClient(CreateOptions(configure));
    }

    public DirectoryClient Client { get; }

    public LyingServer Server => _servers[0];

    public IReadOnlyList<LyingServer> Servers => _servers;

    /// <summary>Returns options that name the servers.</summary>
    public DirectoryClientOptions CreateOptions(Action<DirectoryClientOptions>? configure = null)
    {
        var options = new DirectoryClientOptions { Reader = _reader, Domain = "test.example", Timeout = TimeSpan.FromSeconds(5) };
        foreach (var (name, server) in _names.Zip(_servers))
            options.Servers.Add(new DirectoryServer(name, server.Port, IPAddress.Loopback));
        configure?.Invoke(options);
        return options;
    }

    /// <summary>Returns a ticket to the first server.</summary>
    public ServiceTicket GetTicket() => Ticket(Host);

    public DirectoryAccounts CreateAccounts(TimeProvider? time = null) => new(Client, "test.example", time);

    public Task<IReadOnlyList<LdapEntry>> SearchAsync(int pageSize = 0, bool secrets = false) => Client.SearchAsync(
        new LdapSearch { Base = "DC=test,DC=example", Attributes = ["cn", "member"], PageSize = pageSize, ReadsSecrets = secrets },
        TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        await _reader.DisposeAsync();
        await _realm.DisposeAsync();
    }

    private ServiceTicket Ticket(string name) =>
        _reader.GetAccountTicketAsync(ServicePrincipalName.Parse($"ldap/{name}"), TestContext.Current.CancellationToken).AsTask()
            .GetAwaiter().GetResult();
}
