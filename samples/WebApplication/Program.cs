using KcdDelegation;
using KcdDelegation.AspNetCore;
using OpenTelemetry;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddKcdDelegation(builder.Configuration.GetSection("Kcd")).AddKcdAspNetCore();
builder.Services.AddHttpClient("erp").AddKcdDelegation("erp");
builder.Services.AddAuthentication().AddKcdBearer();
builder.Services.AddAuthorization();
builder.Services.AddHealthChecks().AddKcdDelegation();
builder.Services.AddOpenTelemetry().UseOtlpExporter()
    .WithMetrics(metrics => metrics.AddMeter(KcdTelemetry.Name, KcdTelemetry.KerberosName))
    .WithTracing(tracing => tracing.AddSource(KcdTelemetry.Name, KcdTelemetry.KerberosName));
var app = builder.Build();

app.UseKcdDelegation();
app.MapHealthChecks("/health/live", new() { Predicate = check => check.Tags.Contains("live") });
app.MapHealthChecks("/health/ready", new() { Predicate = check => check.Tags.Contains("ready") });
app.MapGet("/", (IHttpClientFactory clients) => clients.CreateClient("erp").GetStringAsync("")).RequireAuthorization();
app.MapPost("/sign-out", (HttpContext context) => context.EndKcdSessionAsync()).RequireAuthorization();

app.Run();
