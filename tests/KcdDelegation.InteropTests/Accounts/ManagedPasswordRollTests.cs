using System.Collections.Concurrent;
using System.Net;
using KcdDelegation.DirectoryServices;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>A group managed service account of Samba 4.22 through three changes of its password. The controller's time of day is moved by
/// days, as the account's interval is one day.</summary>
public sealed class ManagedPasswordRollTests
{
    private const string Realm = "ROLL.TEST";
    private const int Users = 50;
    private const int RequestsPerUser = 50;

    private static readonly KdcEndpoint s_kdc = new("127.0.0.14");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_thousand_requests_of_fifty_users_pass_through_three_changes()
    {
        Lab.Require("samba-roll");
        using var readerAccount = ServiceAccount.FromPassword("reader$", Lab.Password);
        await using var reader = CreateClient(readerAccount);
        var options = new DirectoryClientOptions { Reader = reader, Domain = "roll.test" };
        options.Servers.Add(new DirectoryServer("dcr.roll.test", null, IPAddress.Parse(s_kdc.Host)));
        await using var directory = new DirectoryClient(options);
        var source = new CountingSource(new DirectoryPasswordSource(directory, "roll.test", "reader$"));
        using var account = ServiceAccount.FromManagedPassword("gmsa$", source);
        await using var client = CreateClient(account);

        var served = await ServeAsync(client);
        for (var change = 0; change < 3; change++)
        {
            await Lab.RunScriptAsync("samba-roll", ["advance", "2"], Stop);
            // Two days have passed for the controller, so every ticket has ended.
            client.PurgeAll();
            reader.PurgeAll();
            served += await ServeAsync(client);
        }
        served.ShouldBe(4 * Users * RequestsPerUser);
        source.Passwords.Count.ShouldBe(4, "the controller did not change the password each time");
    }

    /// <summary>Serves all users. Each needs a new ticket now and then, and the account logs on again as well.</summary>
    private static async Task<int> ServeAsync(S4UClient client)
    {
        var failures = new ConcurrentBag<KerberosException>();
        var served = 0;
        await Task.WhenAll(Enumerable.Range(1, Users).Select(number => Task.Run(async () =>
        {
            var user = KerberosPrincipal.Principal($"u{number:D5}", Realm);
            for (var request = 0; request < RequestsPerUser; request++)
            {
                try
                {
                    await SendRequestAsync(client, user);
                    Interlocked.Increment(ref served);
                }
                catch (KerberosException error)
                {
                    failures.Add(error);
                }
                if (request % 25 == number % 25)
                    client.Purge(user);
                if (number == 1 && request == RequestsPerUser / 2)
                    client.PurgeAll();
            }
        }, Stop)));
        failures.Select(error => error.Message).ShouldBeEmpty();
        return served;
    }

    /// <summary>Creates the token of a request. If the ticket is purged before it is used, asks for a new one: one of the users purges all
    /// tickets.</summary>
    private static async Task SendRequestAsync(S4UClient client, KerberosPrincipal user)
    {
        while (true)
        {
            var ticket = await client.GetTicketAsync(user, ServicePrincipalName.Parse("HTTP/web.roll.test"), Stop);
            ticket.User.ShouldBe(user);
            try
            {
                var template = ticket.CreateApRequest();
                template.WriteTail(new byte[template.TailLength]);
                return;
            }
            catch (InvalidOperationException) when (ticket.IsRetired)
            {
            }
        }
    }

    private static S4UClient CreateClient(ServiceAccount account) => new(new S4UClientOptions
    {
        Realm = Realm,
        Account = account,
        Kdcs = { [Realm] = [s_kdc] },
        MaxClockCorrection = TimeSpan.FromDays(30),
        Timeout = TimeSpan.FromSeconds(20),
    });

    /// <summary>A source that counts the different passwords. It keeps no password, only the order in which they were seen.</summary>
    private sealed class CountingSource(IManagedPasswordSource source) : IManagedPasswordSource
    {
        public ConcurrentDictionary<string, bool> Passwords { get; } = new(StringComparer.Ordinal);

        public async Task<ManagedPassword> ReadAsync(string account, CancellationToken cancellationToken)
        {
            var password = await source.ReadAsync(account, cancellationToken);
            var key = password.Current.DeriveLogOnKey(Realm, EncryptionType.Aes256CtsHmacSha1, "salt", 4096);
            Passwords[Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(key.Bytes))] = true;
            return password;
        }
    }
}
