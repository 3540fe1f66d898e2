using KcdDelegation.Kerberos;
using KcdDelegation.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Samples.UnitTest;

public sealed class OrderServiceTests : IAsyncLifetime
{
    private readonly TestRealm _realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/erp"]).Service("HTTP/erp");
    private TestIssuer _issuer = null!;
    private TestBackend _backend = null!;
    private ServiceProvider _services = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync(cancellationToken: Cancel);
        _backend = await TestBackend.StartAsync(_realm, "HTTP/erp", cancellationToken: Cancel);

        // The registrations of the application, then one line for the test.
        var services = new ServiceCollection();
        services.AddHttpClient("erp").AddKcdDelegation("erp");
        services.AddSingleton<OrderService>();
        services.UseTestRealm(_realm, "gw", _issuer).UseTestBackend("erp", _backend);
        _services = services.BuildServiceProvider();
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _backend.DisposeAsync();
        await _issuer.DisposeAsync();
        await _realm.DisposeAsync();
    }

    [Fact]
    public async Task The_backend_answers_as_the_user_of_the_token()
    {
        Assert.Equal("ada@CONTOSO.TEST", await GetOrdersAsync());
        Assert.Equal(["AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/erp ok"], _realm.Transcript);
    }

    [Fact]
    public async Task Without_the_right_to_delegate_nothing_is_sent()
    {
        _realm.DenyDelegation("gw", "HTTP/erp");

        var error = await Assert.ThrowsAsync<KcdException>(GetOrdersAsync);

        Assert.Equal(KcdStage.Delegation, error.Stage);
        Assert.Empty(_backend.Requests);
    }

    [Fact]
    public async Task A_refusal_of_the_KDC_is_reported()
    {
        _realm.Fail(KdcFault.Error(KerberosErrorCode.Policy), KerberosExchange.S4U2Proxy);

        var error = await Assert.ThrowsAsync<KcdException>(GetOrdersAsync);

        Assert.Equal(KcdStage.Delegation, error.Stage);
        Assert.EndsWith("[error 12]", _realm.Transcript[^1], StringComparison.Ordinal);
    }

    private async Task<string> GetOrdersAsync()
    {
        var client = _services.GetRequiredService<DelegationClient>();
        var caller = await client.ValidateTokenAsync(_issuer.CreateToken("ada@contoso.test"), Cancel);
        return await _services.GetRequiredService<OrderService>().GetOrdersAsync(caller, Cancel);
    }
}
