using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using KcdDelegation.Benchmarks.Peers;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Benchmarks.Tickets;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Benchmarks.Headers;

/// <summary>The implementations that create a header from tickets of one size, for sixteen users in turn. An acceptor validates the output
/// of each before the measurement.</summary>
internal sealed class HeaderCases : IAsyncDisposable
{
    private const int Users = 16;

    private readonly TicketSet _tickets;
    private readonly TicketSet _platformTickets;
    private readonly TicketSet _sha384Tickets;
    private readonly ValueBuffer _buffer = new();
    private readonly Floor[] _floors;
    private readonly PlainBcl[] _plain;
    private readonly AuthorizationTemplate[] _templates;
    private readonly AuthorizationTemplate[] _platformTemplates;
    private readonly MitGssapi _mitSpnego;
    private readonly MitGssapi _mitKerberos;
    private readonly MitGssapi _mitSha384;
    private readonly string _defaultCache;
    private int _user;

    private HeaderCases(int cipherBytes, Func<TicketSet, string[]> import)
    {
        _tickets = TicketSet.Create(EncryptionType.Aes256CtsHmacSha1, cipherBytes, Users);
        _platformTickets = TicketSet.Create(EncryptionType.Aes256CtsHmacSha1, cipherBytes, Users, CipherPath.Platform);
        _sha384Tickets = TicketSet.Create(EncryptionType.Aes256CtsHmacSha384, cipherBytes, Users);
        var samples = _tickets.Tickets.Select(ticket => HeaderSample.Create(ticket, TokenFormat.Spnego)).ToList();
        _floors = [.. samples.Select(sample => new Floor(sample))];
        _plain = [.. samples.Select(sample => new PlainBcl(sample))];
        _templates = [.. _tickets.Credentials.Select(Keep)];
        _platformTemplates = [.. _platformTickets.Credentials.Select(Keep)];

        KerberosEnvironment.Set("KRB5_CONFIG", KerberosEnvironment.WriteConfiguration(TicketSet.Realm));
        var caches = import(_tickets);
        _defaultCache = caches[0];
        KerberosEnvironment.Set("KRB5CCNAME", _defaultCache);
        _mitSpnego = new MitGssapi(caches, TicketSet.Service, TokenFormat.Spnego);
        _mitKerberos = new MitGssapi(caches, TicketSet.Service, TokenFormat.Kerberos);
        _mitSha384 = new MitGssapi(import(_sha384Tickets), TicketSet.Service, TokenFormat.Spnego);
        All =
        [
            new("Floor, bytes", FloorBytes, () => Written(FloorBytes)),
            new("KcdDelegation, bytes", KcdBytes, () => Written(KcdBytes)),
            new("KcdDelegation, bytes, raw Kerberos", KcdRawBytes, () => Written(KcdRawBytes)),
            new("KcdDelegation on the platform's cryptography, bytes", KcdPlatformBytes, () => Written(KcdPlatformBytes)),
            new("Plain BCL, bytes", PlainBytes, () => Written(PlainBytes)),
            new("Floor, string", () => FloorString(), FloorString),
            new("KcdDelegation, string", () => KcdString(), KcdString),
            new("KcdDelegation, AuthenticationHeaderValue", () => KcdHeaderValue(), () => KcdHeaderValue().ToString()),
            new("KcdDelegation on the platform's cryptography, string", () => KcdPlatformString(), KcdPlatformString),
            new("Plain BCL, string", () => PlainString(), PlainString),
            new("MIT GSSAPI, SPNEGO", () => Mit(), () => _mitSpnego.MakeHeader(Next())),
            new("MIT GSSAPI, krb5", () => MitKerberos(), () => _mitKerberos.MakeHeader(Next())),
            new("NegotiateAuthentication", () => Negotiate(), () => $"Negotiate {Convert.ToBase64String(Negotiate())}"),
            new("KcdDelegation, bytes, type 20", KcdSha384Bytes, () => Written(KcdSha384Bytes)) { Accept = Accept(_sha384Tickets) },
            new("MIT GSSAPI, SPNEGO, type 20", () => MitSha384(), () => _mitSha384.MakeHeader(Next())) { Accept = Accept(_sha384Tickets) },
        ];
        foreach (var platform in All.Where(each => each.Name.Contains("platform", StringComparison.Ordinal)))
            platform.Accept = Accept(_platformTickets);
    }

    public IReadOnlyList<Case> All { get; }

    public int CipherBytes => _tickets.Tickets[0].Issued.Ticket.EncryptedPart.Cipher.Length;

    public Floor Floor => _floors[0];

    public int TailLength => _templates[0].Request.TailLength;

    /// <param name="kilobytes">The size of the tickets' encrypted part.</param>
    public static HeaderCases Create(int kilobytes)
    {
        var cases = new HeaderCases(kilobytes << 10, set =>
            Task.WhenAll(set.Tickets.Select(MemoryCredentialCache.ImportAsync)).GetAwaiter().GetResult());
        foreach (var each in cases.All)
        {
            for (var round = 0; round < Users; round++)
                (each.Accept ?? Accept(cases._tickets))(each.Sample!());
        }
        return cases;
    }

    public void FloorBytes() => _buffer.Advance(_floors[Next()].Write(_buffer.Start()));

    public void KcdBytes()
    {
        _buffer.Start();
        _tickets.Credentials[Next()].WriteAuthorization(_buffer, TokenFormat.Spnego);
    }

    public void KcdRawBytes()
    {
        _buffer.Start();
        _tickets.Credentials[Next()].WriteAuthorization(_buffer, TokenFormat.Kerberos);
    }

    public void KcdPlatformBytes()
    {
        _buffer.Start();
        _platformTickets.Credentials[Next()].WriteAuthorization(_buffer, TokenFormat.Spnego);
    }

    public void KcdSha384Bytes()
    {
        _buffer.Start();
        _sha384Tickets.Credentials[Next()].WriteAuthorization(_buffer, TokenFormat.Spnego);
    }

    public void PlainBytes() => _buffer.Advance(_plain[Next()].Write(_buffer.Start()));

    public string FloorString() => _floors[Next()].Create();

    /// <summary>Creates the value like the HTTP handler.</summary>
    public string KcdString() => _templates[Next()].CreateParameter(out _);

    /// <summary>Creates the value like a caller with a credential: the string in .NET's header object, which parses it again.</summary>
    public AuthenticationHeaderValue KcdHeaderValue() => _tickets.Credentials[Next()].CreateAuthorization(TokenFormat.Spnego);

    public string KcdPlatformString() => _platformTemplates[Next()].CreateParameter(out _);

    public string PlainString() => _plain[Next()].Create();

    public int Mit() => _mitSpnego.Make(Next());

    public int MitKerberos() => _mitKerberos.Make(Next());

    public int MitSha384() => _mitSha384.Make(Next());

    /// <summary>Uses one user, because the credential cache belongs to the process.</summary>
    public static byte[] Negotiate()
    {
        using var authentication = new NegotiateAuthentication(new NegotiateAuthenticationClientOptions { Package = "Negotiate",
            TargetName = TicketSet.Service });
        return authentication.GetOutgoingBlob([], out var status) ?? throw new InvalidOperationException(
            $"NegotiateAuthentication: {status}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var floor in _floors)
            floor.Dispose();
        foreach (var plain in _plain)
            plain.Dispose();
        _mitSpnego.Dispose();
        _mitKerberos.Dispose();
        _mitSha384.Dispose();
        await _tickets.DisposeAsync();
        await _platformTickets.DisposeAsync();
        await _sha384Tickets.DisposeAsync();
    }

    private static AuthorizationTemplate Keep(DelegatedCredential credential) => credential.GetTemplate(TokenFormat.Spnego, default);

    private static Action<string> Accept(TicketSet tickets) => value => tickets.Acceptor.Accept(value);

    private int Next() => _user = (_user + 1) % Users;

    private string Written(Action make)
    {
        make();
        return _buffer.Text;
    }
}
