using System.Security.Claims;

namespace KcdDelegation.Samples.UnitTest;

/// <summary>The code under test: reads orders from a Kerberos-protected backend as the user who asks for them.</summary>
internal sealed class OrderService(IHttpClientFactory clients)
{
    public async Task<string> GetOrdersAsync(ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("orders", UriKind.Relative));
        request.SetCaller(caller);
        using var response = await clients.CreateClient("erp").SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }
}
