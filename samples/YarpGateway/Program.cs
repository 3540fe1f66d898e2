var builder = WebApplication.CreateBuilder(args);
builder.Services.AddKcdDelegation(builder.Configuration.GetSection("Kcd"));
builder.Services.AddAuthentication().AddKcdBearer();
builder.Services.AddAuthorization();
builder.Services.AddHealthChecks().AddKcdDelegation();
builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy")).AddKcdDelegation();
var app = builder.Build();

app.MapHealthChecks("/health/ready");
app.MapReverseProxy();

app.Run();
