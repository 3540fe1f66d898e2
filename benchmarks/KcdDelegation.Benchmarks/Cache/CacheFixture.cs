using System.Runtime.CompilerServices;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Cache;

/// <summary>A client whose cache holds the tickets of many users. The tickets are decoded from replies like those of the engine, and each
/// has its own bytes, names and session key. No KDC is involved.</summary>
internal sealed class CacheFixture : IAsyncDisposable
{
    private const string Account = "gw";
    private const string Realm = "BENCH.TEST";

    private readonly TestRealm _realm;

    private CacheFixture(TestRealm realm, S4UClient client) => (_realm, Client) = (realm, client);

    public static ServicePrincipalName Service { get; } = ServicePrincipalName.Parse("HTTP/app.bench.test");

    public S4UClient Client { get; }

    public static KerberosPrincipal User(int number) => KerberosPrincipal.Principal($"user{number:000000}", Realm);

    public static CacheFixture CreateEmpty()
    {
        var realm = TestRealm.Start(Realm).Account(Account);
        return new CacheFixture(realm, new S4UClient(new S4UClientOptions
        {
            Realm = Realm,
            Account = realm.CreateServiceAccount(Account),
            Kdcs = { [Realm] = [realm.Endpoint] },
            Cache = new TicketCacheOptions { MaxEntries = 200_000, MaxBytes = 1L << 30 },
        }));
    }

    public static async Task<CacheFixture> CreateAsync(int entries, int ticketBytes = 2048)
    {
        var fixture = CreateEmpty();
        await fixture.FillAsync(entries, ticketBytes);
        return fixture;
    }

    /// <summary>Adds two entries for each user, like a delegation: the evidence and the service ticket.</summary>
    /// <param name="entries">The number of entries of both kinds.</param>
    /// <param name="ticketBytes">The approximate size of each ticket.</param>
    public async Task FillAsync(int entries, int ticketBytes)
    {
        var store = GetStore(Client);
        for (var number = 0; number < (entries + 1) / 2; number++)
        {
            var user = User(number);
            var sid = $"S-1-5-21-1004336348-1177238915-682003330-{number + 1000}";
            var evidence = await store.GetOrAddAsync(TicketKey.Self(Account, user), _ => Task.FromResult(new UserEvidence(Receive(user,
                PrincipalName.From(KerberosPrincipal.Principal(Account, Realm)), ticketBytes).ToTicket(), sid)), CancellationToken.None);
            var key = new TicketKey(TicketKind.Service, Account, user, Service, EvidenceOrigin.ProtocolTransition);
            await store.GetOrAddAsync(key, _ => Task.FromResult(new ServiceTicket(Receive(user, PrincipalName.From(Service),
                ticketBytes).ToTicket(evidence.Ticket.Client), Service, sid, GetClock(Client), user)), CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _realm.DisposeAsync();
    }

    /// <summary>Creates the decoded reply of a KDC.</summary>
    private static TgsReply Receive(KerberosPrincipal user, PrincipalName service, int ticketBytes)
    {
        const int framing = 110;
        var now = TimeProvider.System.GetUtcNow();
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var sent = new EncKdcReplyPart
        {
            Key = key, Nonce = 1, Flags = 0x4000_0000, AuthTime = now, StartTime = now, EndTime = now.AddHours(10), ServiceRealm = Realm,
                Service = service,
        }.Encode(KdcMessageType.TgsReply);
        var ticket = Ticket.Create(Realm, service, new EncryptedData(EncryptionType.Aes256CtsHmacSha1, 2, new byte[ticketBytes - framing]));
        var reply = new KdcReplyMessage(KdcMessageType.TgsReply, [], Realm, PrincipalName.From(user), ticket,
            new EncryptedData(EncryptionType.Aes256CtsHmacSha1, null, sent)).Encode();

        var message = KdcReplyMessage.Decode(KdcMessageType.TgsReply, reply);
        return new TgsReply(message, EncKdcReplyPart.Decode(KdcMessageType.TgsReply, message.EncryptedPart.Cipher),
            new TgsRequestKeys(key, key, 1));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_store")]
    private static extern ref TicketStore GetStore(S4UClient client);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_clock")]
    private static extern ref KdcClock GetClock(S4UClient client);
}
