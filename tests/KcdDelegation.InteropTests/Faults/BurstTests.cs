using System.Diagnostics;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Faults;

/// <summary>Many users at once on one KDC that runs, stalls or restarts. No user may be refused.</summary>
[Collection(Lab.FaultyKdcs)]
public sealed class BurstTests : IAsyncLifetime
{
    /// <summary>Each KDC with both numbers of users and both transports.</summary>
    public static TheoryData<string, int, KdcTransport> Bursts
    {
        get
        {
            var bursts = new TheoryData<string, int, KdcTransport>();
            foreach (var part in BurstTable.Columns.Values)
            {
                foreach (var users in BurstTable.Users)
                {
                    foreach (var transport in BurstTable.Transports)
                        bursts.Add(part, users, transport);
                }
            }
            return bursts;
        }
    }

    public ValueTask InitializeAsync()
    {
        Lab.Require("mit", "mit-faults");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [MemberData(nameof(Bursts))]
    public async Task A_burst_of_users_is_served_in_time(string part, int users, KdcTransport transport)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        var kdc = realm == LabRealm.Mit ? LabFaults.Second : realm.Kdc;

        var times = await RunAsync(realm, kdc with { Transport = transport }, users, fault: null);

        times.Max().ShouldBeLessThan(BurstTable.GetLimit(part));
    }

    [Theory]
    [InlineData(KdcTransport.Tcp)]
    [InlineData(KdcTransport.Udp)]
    public async Task A_stall_of_the_only_KDC_refuses_no_user(KdcTransport transport)
    {
        var times = await RunAsync(LabRealm.Mit, LabFaults.Second with { Transport = transport }, 60, async () =>
        {
            await Lab.RunScriptAsync("mit-faults", ["kdc2", "stop"], CancellationToken.None);
            await Task.Delay(600, CancellationToken.None);
            await Lab.RunScriptAsync("mit-faults", ["kdc2", "cont"], CancellationToken.None);
        });

        times.Max().ShouldBeLessThan(BurstTable.StallLimit);
    }

    [Theory]
    [InlineData(KdcTransport.Tcp)]
    [InlineData(KdcTransport.Udp)]
    public async Task A_restart_of_the_only_KDC_refuses_no_user(KdcTransport transport)
    {
        var times = await RunAsync(LabRealm.Mit, LabFaults.Second with { Transport = transport }, 60, async () =>
        {
            await Lab.RunScriptAsync("mit-faults", ["kdc2", "kill"], CancellationToken.None);
            await Task.Delay(600, CancellationToken.None);
            await Lab.RunScriptAsync("mit-faults", ["kdc2", "start"], CancellationToken.None);
        });

        times.Max().ShouldBeLessThan(BurstTable.RestartLimit);
    }

    /// <summary>Needs no lab: the page lists the limits that the other tests check. With KCD_WRITE_DOCS=1 the test writes it.</summary>
    [Fact]
    public async Task The_interoperability_page_agrees_with_the_limits() =>
        await GeneratedSection.CheckAsync("interoperability.md", "bursts", await BurstTable.ToMarkdownAsync());

    /// <summary>Requests a ticket for each user at once, while the fault runs.</summary>
    private static async Task<IReadOnlyList<TimeSpan>> RunAsync(LabRealm realm, KdcEndpoint kdc, int users, Func<Task>? fault)
    {
        await Lab.RunScriptAsync(realm.Part, ["users", "151"], TestContext.Current.CancellationToken);
        using var account = ServiceAccount.FromKeytab(realm.Connector, realm.Keytab("connector"));
        var options = new S4UClientOptions { Realm = realm.Realm, Account = account };
        options.Kdcs[realm.Realm] = [kdc];
        await using var client = new S4UClient(options);
        var service = ServicePrincipalName.Parse(realm.Spn("web"));
        // The first request of a process also compiles the code.
        await AskAsync(client, KerberosPrincipal.Principal("u00151", realm.Realm), service);
        var faulting = Task.CompletedTask;
        try
        {
            if (fault is not null)
            {
                faulting = fault();
                // The users come while the KDC does not answer.
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }
            return await Task.WhenAll(Enumerable.Range(1, users).Select(
                number => AskAsync(client, KerberosPrincipal.Principal($"u{number:D5}", realm.Realm), service)));
        }
        finally
        {
            await faulting;
        }
    }

    private static async Task<TimeSpan> AskAsync(S4UClient client, KerberosPrincipal user, ServicePrincipalName service)
    {
        var start = Stopwatch.GetTimestamp();
        var ticket = await client.GetTicketAsync(user, service, TestContext.Current.CancellationToken);
        ticket.User.ShouldBe(user);
        return Stopwatch.GetElapsedTime(start);
    }
}
