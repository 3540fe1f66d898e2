using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Web;

namespace KcdDelegation.InteropTests;

/// <summary>An OpenID provider of the lab's part <c>provider</c>: other software, the npm package oidc-provider. Users sign in with a name
/// and no password.</summary>
/// <param name="Authority">The address, which is the issuer.</param>
/// <param name="TenantId">The claim <c>tid</c> of its tokens.</param>
/// <param name="Domain">The suffix of the user principal names.</param>
internal sealed record LabProvider(string Authority, string TenantId, string Domain)
{
    /// <summary>With users of AD.TEST, over https.</summary>
    public static readonly LabProvider Ad = new("https://localhost:10601", "aaaaaaaa-0000-4000-8000-000000010601", "ad.test");

    /// <summary>With users of MIT.TEST, over http for clients in the test's process, which do not trust the lab's authority.</summary>
    public static readonly LabProvider Mit = new("http://127.0.0.1:10602", "bbbbbbbb-0000-4000-8000-000000010602", "mit.test");

    /// <summary>The resource whose access tokens are JWTs for the gateway.</summary>
    public const string Resource = "api://gateway";

    /// <summary>The value of <c>acr_values</c> that makes the provider ask for a second factor.</summary>
    public const string SecondFactor = "urn:lab:second-factor";

    // Nothing listens there; the code is read from the redirect.
    private const string RedirectUri = "http://127.0.0.1:10699/callback";

    /// <summary>The authority that signed the certificate of the provider and <c>gateway.pem</c> in the same folder.</summary>
    public static string AuthorityCertificatePath => Lab.GetPath("provider/ca.pem");

    /// <summary>Registers a client (RFC 7591).</summary>
    /// <param name="metadata">The client's metadata. <c>lab_resource</c> and <c>lab_access_token_seconds</c> are the provider's
    /// own.</param>
    public async Task<LabProviderClient> RegisterAsync(IReadOnlyDictionary<string, object> metadata)
    {
        using var http = CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Authority}/reg") { Content = JsonContent.Create(metadata) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "lab-registration");
        using var answer = await ReadAsync(http, request, HttpStatusCode.Created);
        return new LabProviderClient(
            answer.RootElement.GetProperty("client_id").GetString()!, answer.RootElement.GetProperty("client_secret").GetString()!);
    }

    /// <summary>Registers a client that <see cref="SignInAsync"/> uses.</summary>
    /// <param name="resource">Of its access tokens; null: they are opaque.</param>
    public Task<LabProviderClient> RegisterAsync(string? resource = Resource)
    {
        var metadata = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["redirect_uris"] = new[] { RedirectUri },
            ["grant_types"] = new[] { "authorization_code", "refresh_token" },
        };
        if (resource is not null)
            metadata["lab_resource"] = resource;
        return RegisterAsync(metadata);
    }

    /// <summary>Signs a user in with the code flow, as a browser and a client would.</summary>
    public async Task<LabTokens> SignInAsync(LabProviderClient client, string user, string scope = "openid read")
    {
        using var http = CreateHttpClient();
        var verifier = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var challenge = Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))
            .TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var page = await FollowAsync(http, new Uri(
            $"{Authority}/auth?client_id={client.Id}&response_type=code&scope={Uri.EscapeDataString(scope)}&state=s&nonce=n"
            + $"&redirect_uri={Uri.EscapeDataString(RedirectUri)}&code_challenge={challenge}&code_challenge_method=S256"));
        using var form = new FormUrlEncodedContent([new("login", user), new("action", "continue")]);
        using var posted = await http.PostAsync(page, form, TestContext.Current.CancellationToken);
        var callback = await FollowAsync(http, new Uri(page, posted.Headers.Location!));
        callback.GetLeftPart(UriPartial.Path).ShouldBe(RedirectUri);
        var answer = HttpUtility.ParseQueryString(callback.Query);
        answer["iss"].ShouldBe(Authority);
        return await RequestTokensAsync(http, client, [
            new("grant_type", "authorization_code"), new("code", answer["code"]), new("redirect_uri", RedirectUri),
            new("code_verifier", verifier)]);
    }

    /// <summary>Exchanges the refresh token.</summary>
    public async Task<LabTokens> RefreshAsync(LabProviderClient client, LabTokens tokens)
    {
        using var http = CreateHttpClient();
        return await RequestTokensAsync(
            http, client, [new("grant_type", "refresh_token"), new("refresh_token", tokens.RefreshToken)]);
    }

    private async Task<LabTokens> RequestTokensAsync(
        HttpClient http, LabProviderClient client, KeyValuePair<string, string?>[] parameters)
    {
        using var form = new FormUrlEncodedContent(parameters);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Authority}/token") { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{client.Id}:{client.Secret}")));
        using var answer = await ReadAsync(http, request, HttpStatusCode.OK);
        string Read(string name) => answer.RootElement.GetProperty(name).GetString()!;
        return new LabTokens(Read("id_token"), Read("access_token"), Read("refresh_token"));
    }

    // Follows redirects of the provider up to the first page or the client's address.
    private async Task<Uri> FollowAsync(HttpClient http, Uri address)
    {
        for (var hop = 0; hop < 10 && address.AbsoluteUri.StartsWith(Authority + "/", StringComparison.Ordinal); hop++)
        {
            using var response = await http.GetAsync(address, TestContext.Current.CancellationToken);
            if (response.Headers.Location is not { } next)
            {
                var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
                return address;
            }
            address = new Uri(address, next);
        }
        return address;
    }

    private static async Task<JsonDocument> ReadAsync(HttpClient http, HttpRequestMessage request, HttpStatusCode expected)
    {
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(expected, body);
        return JsonDocument.Parse(body);
    }

    private static HttpClient CreateHttpClient()
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(AuthorityCertificatePath));
        return new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            SslOptions = { CertificateChainPolicy = trust },
        });
    }
}

/// <summary>A registered client.</summary>
internal sealed record LabProviderClient(string Id, string Secret);

/// <summary>The answer of the token endpoint.</summary>
internal sealed record LabTokens(string IdToken, string AccessToken, string RefreshToken);
