using System.Collections.Immutable;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Parses the applications.</summary>
internal sealed class ApplicationsParser(
    GatewayOptions options, KcdOptions library, IReadOnlyDictionary<string, ProviderSettings> providers, SettingsErrors errors)
{
    /// <summary>The value of <c>Delegation</c> for an application that is called without a ticket.</summary>
    private const string NoDelegation = "None";

    private readonly Dictionary<string, string> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, GatewayApplication> _delegations = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<GatewayApplication> Parse()
    {
        if (options.Applications.Count == 0)
            errors.Add(nameof(GatewayOptions.Applications), "is empty",
                "Add the application to publish, with Applications:NAME:ExternalUrl");
        return [.. options.Applications.Select(application => Parse(application.Key, application.Value)).OfType<GatewayApplication>()];
    }

    private GatewayApplication? Parse(string name, GatewayApplicationOptions application)
    {
        var key = $"{nameof(GatewayOptions.Applications)}:{name}";
        if (string.IsNullOrWhiteSpace(name) || PrintableText.From(name, 64) != name)
            errors.Add(key, "has a name that cannot be printed", "Name applications with at most 64 visible characters");
        var external = ParseExternalUrl(application, key);
        var provider = ParseProvider(application, key);
        var delegation = ParseDelegation(name, application, key);
        var internals = ParseInternalUrls(application, delegation, key);
        if (application.ActivityTimeout is { } timeout && (timeout <= TimeSpan.Zero || timeout > TimeSpan.FromDays(1)))
            errors.Add($"{key}:ActivityTimeout", $"{timeout:c} is out of range", "Write a time of more than 0, at most 1.00:00:00");
        if (application.RequiredAcr is { } acr && (acr.Length == 0 || acr.Any(character => character is <= ' ' or '"' or '\\' or > '~')))
            errors.Add($"{key}:RequiredAcr", $"{PrintableText.Quoted(acr)} is not one value of acr", "Write one value without spaces");
        CheckNames(application.RequiredGroups, $"{key}:RequiredGroups");
        foreach (var (claim, values) in application.RequiredClaims)
            CheckNames(values, $"{key}:RequiredClaims:{claim}");
        var scopes = TokenSettingsParser.ParseScopes(application.RequiredScopes, $"{key}:RequiredScopes", errors);
        if (external is null || provider is null || internals.IsEmpty)
            return null;
        var parsed = new GatewayApplication
        {
            Name = name,
            ExternalUrl = external,
            Provider = provider.Name,
            SignIn = ParseSignIn(application, provider, key),
            Delegation = delegation,
            InternalUrls = internals,
            RequiredScopes = scopes,
            RequiredGroups = [.. application.RequiredGroups],
            RequiredClaims = [.. application.RequiredClaims.Select(claim => new RequiredClaim(claim.Key, [.. claim.Value]))],
            RequiredAcr = application.RequiredAcr,
            PreserveHost = application.PreserveHost,
            ActivityTimeout = application.ActivityTimeout,
        };
        CheckHost(parsed, key);
        CheckSharedDelegation(parsed, key);
        return parsed;
    }

    private Uri? ParseExternalUrl(GatewayApplicationOptions application, string key)
    {
        const string Remedy = "Write the address that users open, such as https://erp.contoso.com/";
        if (application.ExternalUrl is not { } url)
        {
            errors.Add($"{key}:ExternalUrl", "is missing", Remedy);
            return null;
        }
        var problem = url switch
        {
            { IsAbsoluteUri: false } or { Scheme: not ("http" or "https") } => "is not an absolute https address",
            { Scheme: "http", IsLoopback: false } => "is plain http, where anyone on the network can read tokens and cookies",
            { UserInfo.Length: > 0 } or { Query.Length: > 0 } or { Fragment.Length: > 0 } => "has a user, a query or a fragment",
            { HostNameType: UriHostNameType.IPv6 } => "has an IPv6 address, by which no application is selected",
            _ when url.IdnHost.EndsWith('.') => "has a host that ends with a dot, which browsers do not send for it",
            { AbsolutePath: not "/" } => "has a path. Cookies of applications with the same host are not separated",
            _ => null,
        };
        if (problem is null)
            return url;
        errors.Add($"{key}:ExternalUrl", $"{AddressText.Quoted(url.OriginalString)} {problem}", Remedy);
        return null;
    }

    private ProviderSettings? ParseProvider(GatewayApplicationOptions application, string key)
    {
        var names = string.Join(", ", options.IdentityProviders.Keys);
        if (application.IdentityProvider is not { } name)
        {
            if (options.IdentityProviders.Count == 1)
                return providers.Values.FirstOrDefault();
            if (options.IdentityProviders.Count > 1)
                errors.Add($"{key}:IdentityProvider", "is missing, but there are several providers", $"Write one of {names}");
            return null;
        }
        if (!options.IdentityProviders.ContainsKey(name))
            errors.Add($"{key}:IdentityProvider", $"{PrintableText.Quoted(name)} is not in IdentityProviders ({names})",
                "Correct the name, or add the provider");
        return providers.GetValueOrDefault(name);
    }

    private string? ParseDelegation(string name, GatewayApplicationOptions application, string key)
    {
        var delegation = application.Delegation ?? name;
        if (string.Equals(delegation, NoDelegation, StringComparison.OrdinalIgnoreCase))
            return null;
        if (!library.Applications.ContainsKey(delegation))
            errors.Add($"{key}:Delegation",
                $"{PrintableText.Quoted(delegation)}{(application.Delegation is null ? " (the default)" : "")} is not in Kcd:Applications "
                    + $"({(library.Applications.Count == 0 ? "none" : string.Join(", ", library.Applications.Keys))})",
                "Correct the name, add the application there, or write None to call it without a ticket");
        return delegation;
    }

    private ImmutableArray<Uri> ParseInternalUrls(GatewayApplicationOptions application, string? delegation, string key)
    {
        if (application.InternalUrls.Count == 0)
        {
            if (delegation is null)
                errors.Add($"{key}:InternalUrls", "is empty, but Delegation is None", "Write the origins of the application");
            else if (library.Applications.TryGetValue(delegation, out var delegated) && delegated is not null)
            {
                if (delegated.InternalUrl is { IsAbsoluteUri: true } url)
                    return [GetOrigin(url), .. ReadOrigins(delegated.AdditionalOrigins)];
                if (delegated.InternalUrl is null)
                    errors.Add($"{key}:InternalUrls", $"is empty, and Kcd:Applications:{delegation}:InternalUrl is missing",
                        "Write the origins of the application in one of them");
            }
            return [];
        }
        for (var i = 0; i < application.InternalUrls.Count; i++)
        {
            var text = application.InternalUrls[i];
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.AbsolutePath != "/"
                || url.UserInfo.Length + url.Query.Length + url.Fragment.Length > 0)
                errors.Add($"{key}:InternalUrls:{i}", $"{AddressText.Quoted(text)} is not an origin",
                    "Write scheme, host and port, such as https://erp.corp.contoso.com/");
            else if (url.Scheme == Uri.UriSchemeHttp && delegation is not null
                && library.Applications.TryGetValue(delegation, out var delegated) && delegated is { AllowPlainHttp: false })
                errors.Add($"{key}:InternalUrls:{i}", $"{AddressText.Quoted(text)} is plain http, where an eavesdropper can use the ticket",
                    $"Use https, or set Kcd:Applications:{delegation}:AllowPlainHttp");
        }
        return ReadOrigins(application.InternalUrls);
    }

    private static ImmutableArray<Uri> ReadOrigins(IEnumerable<string> texts) =>
        [.. texts.Select(text => Uri.TryCreate(text, UriKind.Absolute, out var url) ? GetOrigin(url) : null).OfType<Uri>()];

    private static Uri GetOrigin(Uri url) => new(url.GetLeftPart(UriPartial.Authority) + "/");

    private SignInMode ParseSignIn(GatewayApplicationOptions application, ProviderSettings provider, string key)
    {
        var mode = application.SignIn ?? (provider.SignIn is null ? SignInMode.Bearer : SignInMode.Browser);
        if (!Enum.IsDefined(mode))
            errors.Add($"{key}:SignIn", $"{PrintableText.Quoted(mode.ToString())} is not one of its values", "Write Browser or Bearer");
        if (mode == SignInMode.Browser && provider.SignIn is null)
            errors.Add($"{key}:SignIn", $"is Browser, but IdentityProviders:{provider.Name}:SignIn is missing",
                "Add the sign-in to the provider, or write Bearer");
        if (mode == SignInMode.Bearer && provider.Token.Audience is null)
            errors.Add($"{key}:SignIn", $"is Bearer, but IdentityProviders:{provider.Name}:Token:Audience is missing",
                "Set the audience of access tokens for this gateway");
        return mode;
    }

    private void CheckHost(GatewayApplication application, string key)
    {
        if (!_hosts.TryAdd(application.Host, application.Name))
            errors.Add($"{key}:ExternalUrl",
                $"{PrintableText.Quoted(application.ExternalUrl.AbsoluteUri)} has the host of Applications:{_hosts[application.Host]}",
                "Give each application a host of its own");
    }

    /// <summary>Rejects one delegation for the users of two providers: its rules for callers are those of one.</summary>
    private void CheckSharedDelegation(GatewayApplication application, string key)
    {
        if (application.Delegation is not { } delegation || _delegations.TryAdd(delegation, application))
            return;
        var other = _delegations[delegation];
        if (!string.Equals(other.Provider, application.Provider, StringComparison.OrdinalIgnoreCase))
            errors.Add($"{key}:Delegation",
                $"{PrintableText.Quoted(delegation)} is also that of Applications:{other.Name}, which has the identity provider "
                    + PrintableText.From(other.Provider),
                "Add an application under Kcd:Applications for each provider");
    }

    private void CheckNames(IList<string> names, string key)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(names[i]) || names[i].Trim() != names[i])
                errors.Add($"{key}:{i}", $"{PrintableText.Quoted(names[i])} is empty, or starts or ends with white space",
                    "Write one value in each entry, as it is in the token");
        }
    }
}
