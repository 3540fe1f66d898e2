using System.Security.Claims;
using KcdDelegation;
using KcdDelegation.Testing;

// Stands in for the directory, the token issuer and the backend. All three run in this process, on loopback.
await using var realm = TestRealm.Start("CONTOSO.TEST")
    .User("ada")
    .Account("GATEWAY$", mayDelegateTo: ["HTTP/erp.contoso.test"])
    .Service("HTTP/erp.contoso.test");
await using var issuer = await TestIssuer.StartAsync();
await using var backend = await TestBackend.StartAsync(realm, "HTTP/erp.contoso.test");

// A real program sets these options to its own realm, account, keytab and issuer, or binds them from configuration.
KcdOptions options = realm.CreateOptions("GATEWAY$", issuer);
options.Applications["erp"] = backend.CreateApplication();

await using var client = DelegationClient.Create(options);
using var http = new HttpClient(new KcdHandler(client, "erp"));

// A real program receives the token with the request of its user.
string token = issuer.CreateToken("ada@contoso.test");
ClaimsPrincipal caller = await client.ValidateTokenAsync(token);

using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(backend.Url, "orders"));
request.SetCaller(caller);
using HttpResponseMessage response = await http.SendAsync(request);

Console.WriteLine($"The backend answered {(int)response.StatusCode} to {await response.Content.ReadAsStringAsync()}.");
Console.WriteLine("The KDC received:");
foreach (string line in realm.Transcript)
    Console.WriteLine($"  {line}");
