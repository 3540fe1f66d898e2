using KcdDelegation.Testing;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Tests;

public sealed class LogTests
{
    private readonly CapturingLogger _logger = new();

    [Fact]
    public async Task A_log_on_is_logged_once_with_its_end_and_a_failed_one_is_not()
    {
        await using var realm = Start();
        await using var client = CreateClient(realm, realm.Endpoint);
        realm.Fail(KdcFault.WrongNonce, KerberosExchange.LogOn);
        await Should.ThrowAsync<KerberosException>(async () => await client.LogOnAsync(TestContext.Current.CancellationToken));
        _logger.Events.ShouldNotContain(logged => logged.Id == 2201);

        await client.LogOnAsync(TestContext.Current.CancellationToken);
        await client.LogOnAsync(TestContext.Current.CancellationToken);

        var (_, level, text) = _logger.Events.Where(logged => logged.Id == 2201).ShouldHaveSingleItem();
        level.ShouldBe(LogLevel.Information);
        text.ShouldStartWith("gw logged on at CONTOSO.TEST; the ticket ends at 20");
    }

    [Theory]
    [InlineData(KdcTransport.Tcp, 2114)]
    [InlineData(KdcTransport.Udp, 2107)]
    public async Task A_reply_with_a_wrong_name_is_named_in_the_exception_and_in_no_event(KdcTransport transport, int noted)
    {
        await using var realm = Start();
        await using var client = CreateClient(realm, realm.Endpoint with { Transport = transport });
        await client.LogOnAsync(TestContext.Current.CancellationToken);
        realm.Fail(KdcFault.NameOfAnotherUser("evelina"), KerberosExchange.S4U2Self, times: int.MaxValue);

        var error = await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(
            KerberosPrincipal.Principal("adalina", realm.Name), ServicePrincipalName.Parse("HTTP/app"),
                TestContext.Current.CancellationToken));

        error.Detail.ShouldContain("evelina");
        _logger.Events.ShouldContain(logged => logged.Id == noted);
        _logger.Events.ShouldNotContain(logged => logged.Text.Contains("adalina", StringComparison.OrdinalIgnoreCase));
        _logger.Events.ShouldNotContain(logged => logged.Text.Contains("evelina", StringComparison.OrdinalIgnoreCase));
    }

    private static TestRealm Start() =>
        TestRealm.Start().User("adalina").User("evelina").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");

    private S4UClient CreateClient(TestRealm realm, KdcEndpoint kdc) => new(new S4UClientOptions
    {
        Realm = realm.Name,
        Account = realm.CreateServiceAccount("gw"),
        Kdcs = { [realm.Name] = [kdc] },
        LoggerFactory = new CapturingLoggerFactory(_logger),
    });
}
