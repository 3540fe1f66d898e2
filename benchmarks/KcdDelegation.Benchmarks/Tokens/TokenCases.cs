using System.Globalization;
using System.Text.Json;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Benchmarks.Tickets;
using KcdDelegation.Testing;
using KcdDelegation.Token;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Benchmarks.Tokens;

/// <summary>Measures the steps before the header of each request: token validation, mapping, and ticket look-up.</summary>
internal static class TokenCases
{
    private const string Application = "app";

    public static async Task RunAsync(string results, int rounds)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"],
            password: "Passw0rd!").Service("HTTP/app");
        var password = Path.Combine(Path.GetTempPath(), $"kcd-bench-{Guid.NewGuid():N}");
        try
        {
            await File.WriteAllTextAsync(password, "Passw0rd!");
            File.SetUnixFileMode(password, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await MeasureAsync(results, rounds, issuer, Options(issuer, realm, password));
        }
        finally
        {
            File.Delete(password);
        }
    }

    private static async Task MeasureAsync(string results, int rounds, TestIssuer issuer, KcdOptions options)
    {
        await using var client = DelegationClient.Create(options);
        var token = issuer.CreateToken("ada@contoso.test", new Dictionary<string,
            object?>(StringComparer.Ordinal) { ["onprem_sam_account_name"] = "ada" });
        var caller = await client.ValidateTokenAsync(token);
        var credential = await client.GetCredentialAsync(Application, caller);

        var handler = new JsonWebTokenHandler();
        var key = await ReadKeyAsync(issuer);
        var parameters = await PeerParametersAsync(issuer);
        var buffer = new ValueBuffer();
        Case[] cases =
        [
            new("JsonWebTokenHandler alone, keys cached", () => Require(handler.ValidateTokenAsync(token,
                parameters).GetAwaiter().GetResult().IsValid)),
            new("Parsing and signature, once for each token", () => Require(IsSigned(key, token))),
            new("ValidateTokenAsync, token seen before", () => Require(Done(client.ValidateTokenAsync(token)).Identity!.IsAuthenticated)),
            new("MapAsync", () => Require(Done(client.MapAsync(Application, caller)).Name == "ada")),
            new("GetCredentialAsync: mapping, ticket from the cache, audit", () => Require(Done(client.GetCredentialAsync(Application,
                caller)).Ticket is not null)),
            new("Header into bytes", () => Write(credential)),
            new("All steps: from the token to the header", () => Write(Done(client.GetCredentialAsync(Application,
                Done(client.ValidateTokenAsync(token)))))),
        ];
        var times = Interleaved.Measure(cases, rounds);
        var plot = new BarPlot("tokens", "From the token to the header", "µs, median");
        plot.Add("one request", cases.Select((each, i) => (each.Name, times[each.Name].Median / 1000, i > 0)));
        new ResultFile(results, "tokens", "Token validation and mapping")
            .Text("An RS256 token of about 800 bytes, 2048-bit key. That its signature is good and its claims are remembered by its hash; "
                + "all other checks are made for each request.")
            .Table(["step", "µs", "bytes allocated"], cases.Select(each => (IReadOnlyList<string>)
                [each.Name, times[each.Name].Median.Microseconds(), CountBytes(each).ToString(CultureInfo.InvariantCulture)]))
            .Plot(plot)
            .Write();

        void Write(DelegatedCredential from)
        {
            buffer.Start();
            from.WriteAuthorization(buffer, TokenFormat.Spnego);
        }
    }

    private static KcdOptions Options(TestIssuer issuer, TestRealm realm, string passwordFile)
    {
        var options = new KcdOptions { Realm = realm.Name, ServiceAccount = { Name = "gw", PasswordFile = passwordFile },
            Kdcs = { realm.Endpoint.ToString() } };
        options.Token.Authority = issuer.Authority;
        options.Token.Audience = TestIssuer.DefaultAudience;
        options.Token.TenantId = issuer.TenantId;
        options.Applications[Application] = new DelegatedApplication
        {
            InternalUrl = new Uri("https://app.contoso.test/"), ServicePrincipalName = "HTTP/app",
                LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
        };
        return options;
    }

    private static async Task<TokenValidationParameters> PeerParametersAsync(TestIssuer issuer)
    {
        using var http = new HttpClient();
        var keys = await http.GetStringAsync(KeysAddress(issuer));
        return new TokenValidationParameters { ValidIssuer = issuer.Authority, ValidAudience = TestIssuer.DefaultAudience,
            IssuerSigningKeys = new JsonWebKeySet(keys).GetSigningKeys() };
    }

    private static bool IsSigned(SigningKey key, string token)
    {
        var compact = CompactToken.Parse(token);
        return key.IsSignature(compact.Algorithm, compact.SignedText, compact.Signature);
    }

    private static async Task<SigningKey> ReadKeyAsync(TestIssuer issuer)
    {
        using var http = new HttpClient();
        using var document = JsonDocument.Parse(await http.GetStringAsync(KeysAddress(issuer)));
        var first = document.RootElement.GetProperty("keys")[0];
        return SigningKey.Read(first, first.GetProperty("kid").GetString()!);
    }

    private static Uri KeysAddress(TestIssuer issuer) =>
        new(issuer.Authority.Replace("/v2.0", "/discovery/v2.0/keys", StringComparison.Ordinal));

    /// <summary>Returns the bytes that one call allocates.</summary>
    private static long CountBytes(Case each)
    {
        const int Calls = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < Calls; call++)
            each.Run();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
    }

    /// <summary>Returns the result of a task. All of these tasks complete synchronously.</summary>
    private static T Done<T>(ValueTask<T> task) =>
        task.IsCompleted ? task.GetAwaiter().GetResult() : task.AsTask().GetAwaiter().GetResult();

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("The case did not produce the expected result.");
    }
}
