using System.Net.Http.Headers;
using KcdDelegation.Testing;

namespace KcdDelegation.Samples.MinimalApi;

/// <summary>The directory, the token issuer and the backend of the sample. They run in this process, on loopback.</summary>
internal sealed class EmbeddedServices(TestRealm realm, TestIssuer issuer, TestBackend backend) : IAsyncDisposable
{
    private const string Service = "HTTP/erp.contoso.test";

    public static async Task<EmbeddedServices> StartAsync()
    {
        var realm = TestRealm.Start("CONTOSO.TEST").User("ada").Account("GATEWAY$", mayDelegateTo: [Service]).Service(Service);
        return new EmbeddedServices(realm, await TestIssuer.StartAsync(), await TestBackend.StartAsync(realm, Service));
    }

    /// <summary>Replaces the settings of appsettings.json by those of the embedded services.</summary>
    public void Replace(IServiceCollection services) => services.UseTestRealm(realm, "GATEWAY$", issuer).UseTestBackend("erp", backend);

    public string CreateToken() => issuer.CreateToken("ada@contoso.test");

    /// <summary>Calls the API without and with a token, as a client on the network does.</summary>
    public async Task CallAsync(Uri orders)
    {
        using var http = new HttpClient();
        using var refused = await http.GetAsync(orders);
        Console.WriteLine($"Without a token the API answers {(int)refused.StatusCode}.");

        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", CreateToken());
        using var response = await http.GetAsync(orders);
        var user = await response.Content.ReadAsStringAsync();
        Console.WriteLine($"With ada's token it answers {(int)response.StatusCode}: the backend saw {user}.");
        Console.WriteLine("The KDC received:");
        foreach (var line in realm.Transcript)
            Console.WriteLine($"  {line}");
    }

    public async ValueTask DisposeAsync()
    {
        await backend.DisposeAsync();
        await issuer.DisposeAsync();
        await realm.DisposeAsync();
    }
}
