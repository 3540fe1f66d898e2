using System.Text.Json.Nodes;
using KcdDelegation.Benchmarks.Gateway;
using KcdDelegation.Testing;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>The settings file of <c>kcd-gateway</c> with one application.</summary>
internal static class GatewaySettings
{
    /// <summary>The name of the keytab in the directory of all servers.</summary>
    public const string Keytab = "gateway.keytab";

    public static string Create(
        string folder, Uri url, string backend, BenchmarkProvider provider, TestRealm realm, bool isDelegated)
    {
        var secret = Path.Combine(folder, "secret");
        File.WriteAllText(secret, provider.Secret);
        var application = new JsonObject { ["ExternalUrl"] = url.AbsoluteUri };
        if (!isDelegated)
            (application["Delegation"], application["InternalUrls"]) = ("None", new JsonArray(backend));
        return new JsonObject
        {
            ["Listener"] = new JsonObject
            {
                ["Urls"] = new JsonArray(url.GetLeftPart(UriPartial.Authority)),
                ["Limits"] = new JsonObject { ["DrainDelay"] = "00:00:00", ["DrainTimeout"] = "00:00:01" },
            },
            ["State"] = Path.Combine(folder, "state"),
            ["IdentityProviders"] = new JsonObject
            {
                ["benchmark"] = new JsonObject
                {
                    ["Token"] = new JsonObject { ["Authority"] = provider.Issuer, ["ClientId"] = BenchmarkProvider.ClientId },
                    ["SignIn"] = new JsonObject { ["ClientSecretFile"] = secret, ["Scopes"] = new JsonArray("profile") },
                },
            },
            ["Kcd"] = new JsonObject
            {
                ["Realm"] = realm.Name,
                ["Kdcs"] = new JsonArray(realm.Endpoint.ToString()),
                ["ServiceAccount"] = new JsonObject { ["Name"] = GatewayRun.Account, ["Keytab"] = Path.Combine(folder, "..", Keytab) },
                ["MaxUsers"] = 20_000,
                ["Applications"] = new JsonObject
                {
                    [ProcessSettings.Application] = new JsonObject
                    {
                        ["InternalUrl"] = backend,
                        ["ServicePrincipalName"] = ProcessSettings.Service,
                        ["LoginIdentity"] = nameof(LoginIdentity.UserPrincipalUsername),
                        ["AllowPlainHttp"] = true,
                    },
                },
            },
            ["Applications"] = new JsonObject { [ProcessSettings.Application] = application },
        }.ToJsonString();
    }
}
