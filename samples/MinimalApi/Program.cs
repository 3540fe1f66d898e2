using KcdDelegation.Samples.MinimalApi;

// The embedded KDC, token issuer and backend. A real application has none of this.
await using var embedded = await EmbeddedServices.StartAsync();

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Logging.SetMinimumLevel(LogLevel.Warning);
// The embedded services use plain http on loopback. The library warns of that at every start.
builder.Logging.AddFilter("KcdDelegation", LogLevel.Error);
builder.WebHost.UseUrls("http://127.0.0.1:0");

builder.Services.AddKcdDelegation(builder.Configuration.GetSection("Kcd")).AddKcdAspNetCore();
builder.Services.AddHttpClient("erp").AddKcdDelegation("erp");
builder.Services.AddAuthentication().AddKcdBearer();
builder.Services.AddAuthorization();
embedded.Replace(builder.Services);

await using var app = builder.Build();
app.UseKcdDelegation();
app.MapGet("/orders", async (IHttpClientFactory clients, CancellationToken cancellationToken) =>
    await clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative), cancellationToken)).RequireAuthorization();
await app.StartAsync();

var address = new Uri(app.Urls.First());
if (args.Contains("--serve", StringComparer.Ordinal))
{
    Console.WriteLine("Try:");
    Console.WriteLine($"  curl -H 'Authorization: Bearer {embedded.CreateToken()}' {new Uri(address, "orders")}");
    await app.WaitForShutdownAsync();
}
else
{
    await embedded.CallAsync(new Uri(address, "orders"));
    await app.StopAsync();
}
