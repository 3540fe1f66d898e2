using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json;
using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;

namespace KcdDelegation.Token;

/// <summary>Loads an issuer's discovery document and keys (OpenID Connect Discovery 1.0 §4, RFC 7517 §5), with limits on size and
/// time.</summary>
/// <remarks>A redirect is refused, because it would let another address choose the trusted keys.</remarks>
internal sealed class IssuerDocuments : IDisposable
{
    private const int MaxDocumentBytes = 256 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly TokenSettings _settings;
    private readonly TimeProvider _timeProvider;
    private readonly HttpClient _http;

    public IssuerDocuments(TokenSettings settings, TimeProvider timeProvider, HttpMessageHandler? handler = null)
    {
        (_settings, _timeProvider) = (settings, timeProvider);
        _http = new HttpClient(handler ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxDocumentBytes,
        };
    }

    public string Authority => _settings.DiscoveryDocument.GetLeftPart(UriPartial.Authority);

    /// <summary>Loads the discovery document and the signing keys that it names.</summary>
    /// <exception cref="KcdException">The keys cannot be loaded (transient), or the documents do not belong to the pinned
    /// issuer.</exception>
    public async Task<IssuerKeys> LoadKeysAsync(CancellationToken cancellationToken)
    {
        var discovery = await GetAsync(_settings.DiscoveryDocument, cancellationToken).ConfigureAwait(false);
        // OpenID Connect Discovery 1.0 §4.3. The issuer in a document for every tenant is "{tenantid}", which is no issuer.
        if (GetText(discovery, "issuer") != _settings.Issuer)
            throw Refused(_settings.DiscoveryDocument,
                $"is of the issuer {PrintableText.Quoted(GetText(discovery, "issuer"))}, not of {PrintableText.Quoted(_settings.Issuer)}",
                "Correct Kcd:Token:Authority, or pin the document's issuer with Kcd:Token:Issuer if it is the one that you trust.");
        if (!Uri.TryCreate(GetText(discovery, "jwks_uri"), UriKind.Absolute, out var keysAddress) || !KeyAddress.IsAllowed(keysAddress)
            || (keysAddress.Scheme != Uri.UriSchemeHttps && _settings.DiscoveryDocument.Scheme == Uri.UriSchemeHttps))
            throw Refused(_settings.DiscoveryDocument, "names no https address for the keys (jwks_uri)",
                "Have the issuer's operator correct it.");
        var keys = await GetAsync(keysAddress, cancellationToken).ConfigureAwait(false);
        return new IssuerKeys(
            _settings.Issuer, FindAccessTokenIssuer(discovery), ReadKeys(keys, keysAddress),
            $"{discovery.GetRawText()}\n{keys.GetRawText()}");
    }

    /// <summary>Creates the exception for an unexpected failure that is not a network error.</summary>
    public KcdException Unreadable(Exception error) =>
        DelegationFailure.Identity(
            KcdErrorKind.Configuration, KcdEventId.IssuerDocumentRefused,
            $"The documents of the issuer {PrintableText.From(_settings.Issuer)} cannot be read ({error.GetType().Name}).",
            "Open them in a browser: a proxy or a portal may have answered instead.").ToException(error);

    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, _timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var response = await _http.GetAsync(address, either.Token).ConfigureAwait(false);
            if ((int)response.StatusCode is >= 300 and < 400)
                throw Refused(address, $"redirects to {AddressText.Quoted(response.Headers.Location?.OriginalString)}",
                    "Write the final address in Kcd:Token:Authority, if it is one that you trust.");
            if (response.StatusCode != HttpStatusCode.OK)
                throw Unreachable(address, string.Create(CultureInfo.InvariantCulture, $"answers {(int)response.StatusCode}"), inner: null);
            var body = await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
            return StrictJson.ParseObject(body, out var document) == StrictJsonResult.Object
                ? document
                : throw Refused(address, "is not one JSON object without duplicate members",
                    "Open it in a browser: a proxy or a portal may have answered instead.");
        }
        catch (HttpRequestException error) when (error.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw Refused(address, string.Create(CultureInfo.InvariantCulture, $"is larger than {MaxDocumentBytes} bytes"),
                "Open it in a browser: a proxy or a portal may have answered instead.");
        }
        catch (HttpRequestException error)
        {
            throw Unreachable(address, $"cannot be reached ({error.HttpRequestError})", error);
        }
        catch (OperationCanceledException error) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Unreachable(
                address, string.Create(CultureInfo.InvariantCulture, $"does not answer within {Timeout.TotalSeconds} seconds"), error);
        }
    }

    /// <summary>Returns the issuer of access tokens that a discovery document of AD FS names; null if it names none.</summary>
    /// <remarks>An attacker who can change this member can also change the address of the keys, and could then sign tokens of the pinned
    /// issuer. Microsoft Entra has no such member. Its keys sign for every tenant, so there the issuer stays the pinned one.</remarks>
    private string? FindAccessTokenIssuer(JsonElement discovery) =>
        !_settings.IsEntra && GetText(discovery, "access_token_issuer") is { Length: > 0 } issuer
            && !issuer.Contains('{', StringComparison.Ordinal)
            ? issuer
            : null;

    private static FrozenDictionary<string, ImmutableArray<SigningKey>> ReadKeys(JsonElement document, Uri address)
    {
        if (!document.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
            throw Refused(address, "has no keys", "Have the issuer's operator correct it.");
        return keys.EnumerateArray()
            .Where(static element => element.ValueKind == JsonValueKind.Object && GetText(element, "kid") is { Length: > 0 })
            .GroupBy(static element => GetText(element, "kid")!, StringComparer.Ordinal)
            .ToFrozenDictionary(static group => group.Key, group => ReadKeys(group.Key, [.. group], address), StringComparer.Ordinal);
    }

    /// <summary>Reads the keys with one <c>kid</c>. Keys of different types may share it (RFC 7517 §4.5), but only one may verify an
    /// algorithm.</summary>
    private static ImmutableArray<SigningKey> ReadKeys(string keyId, JsonElement[] elements, Uri address)
    {
        var keys = ImmutableArray.CreateBuilder<SigningKey>();
        for (var i = 0; i < elements.Length; i++)
        {
            if (Array.Exists(elements[..i], earlier => JsonElement.DeepEquals(earlier, elements[i])))
                continue;
            var key = SigningKey.Read(elements[i], keyId);
            if (keys.Any(earlier => earlier.Algorithms.Intersect(key.Algorithms, StringComparer.Ordinal).Any()))
                throw Refused(address, $"has two keys with the kid {PrintableText.Quoted(keyId)}",
                    "Have the issuer's operator correct it.");
            keys.Add(key);
        }
        return keys.ToImmutable();
    }

    private static string? GetText(JsonElement document, string name) =>
        document.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static KcdException Refused(Uri address, string why, string remedy) =>
        DelegationFailure.Identity(
            KcdErrorKind.Configuration, KcdEventId.IssuerDocumentRefused,
            $"The document {AddressText.From(address.AbsoluteUri)} {why}.", remedy).ToException();

    private static KcdException Unreachable(Uri address, string why, Exception? inner) =>
        (DelegationFailure.Identity(
            KcdErrorKind.Unavailable, KcdEventId.IssuerUnreachable,
            $"The issuer's document {AddressText.From(address.AbsoluteUri)} {why}.",
            "Check name resolution, firewall and proxy from this machine to the issuer, and the address in Kcd:Token:Authority.")
            with { IsTransient = true }).ToException(inner);
}
