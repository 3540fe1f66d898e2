using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Rogue;

/// <summary>Replies that are truncated or changed at every byte cause only <see cref="KerberosException"/>. An accepted ticket is the
/// user's.</summary>
public sealed class DamagedReplyTests
{
    private static readonly ServicePrincipalName App = ServicePrincipalName.Parse("HTTP/app");
    private static readonly KerberosPrincipal Ada = KerberosPrincipal.Principal("ada", "CONTOSO.TEST");

    public static TheoryData<KerberosExchange> Exchanges => [KerberosExchange.LogOn, KerberosExchange.S4U2Self, KerberosExchange.S4U2Proxy];

    private static TestRealm Start() => TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");

    [Theory]
    [MemberData(nameof(Exchanges))]
    public Task A_truncated_message_is_rejected(KerberosExchange exchange) => FailsUntilWholeAsync(exchange, KdcFault.Truncate);

    [Theory]
    [MemberData(nameof(Exchanges))]
    public Task A_connection_that_ends_too_early_gives_no_reply(KerberosExchange exchange) =>
        FailsUntilWholeAsync(exchange, KdcFault.Interrupt);

    /// <summary>Sends longer and longer parts of the reply until one is accepted.</summary>
    private static async Task FailsUntilWholeAsync(KerberosExchange exchange, Func<int, KdcFault> cutTo)
    {
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        var length = 0;
        while (await GetTicketOrNullAsync(client, realm.Heal().Fail(cutTo(length), exchange, times: int.MaxValue)) is null)
            length++;
        length.ShouldBeGreaterThan(300);
        realm.Transcript.Count(line => line.EndsWith(']')).ShouldBeGreaterThan(length);
    }

    [Theory]
    [MemberData(nameof(Exchanges))]
    public async Task A_changed_bit_never_makes_a_ticket_of_another_user_or_service(KerberosExchange exchange)
    {
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        var refused = 0;
        for (var index = 0; index < 1200; index++)
        {
            var ticket = await GetTicketOrNullAsync(client, realm.Heal().Fail(KdcFault.FlipBit(index), exchange, times: int.MaxValue));
            if (ticket is null)
            {
                refused++;
                continue;
            }
            (ticket.User, ticket.Service).ShouldBe((Ada, App));
            client.PurgeAll();
        }
        refused.ShouldBeGreaterThan(100);
    }

    private static async Task<ServiceTicket?> GetTicketOrNullAsync(S4UClient client, TestRealm realm)
    {
        realm.ShouldNotBeNull();
        try
        {
            return await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken);
        }
        catch (KerberosException error)
        {
            if (error.Code is not null)
                client.PurgeAll(); // a refusal is remembered
            return null;
        }
    }
}
