using System.Collections.Immutable;
using KcdDelegation.Diagnosis;
using KcdDelegation.Identity;

namespace KcdDelegation.Settings;

/// <summary>Parses <see cref="TokenOptions"/>, which are complete, or empty except for the tenant of principals.</summary>
internal static class TokenSettingsParser
{
    // Names for all tenants. The issuer in their documents is "{tenantid}", which pins no issuer.
    private static readonly string[] SharedTenants = ["common", "organizations", "consumers"];

    /// <summary>Parses the options. Returns null if no tokens are validated, or if the options have errors, which have been
    /// reported.</summary>
    public static TokenSettings? Parse(TokenOptions options, SettingsErrors errors)
    {
        if (options.Authority is null && options.Issuer is null && options.Audience is null && options.ClientId is null)
        {
            CheckOtherTenant(options.TenantId, errors);
            return null;
        }
        var authority = ParseAuthority(options.Authority, errors);
        CheckAudiences(options, errors);
        if (authority is null)
            return null;
        var entra = EntraCloud.Find(authority);
        var tenant = ParseTenant(options.TenantId, authority, entra, errors);
        var issuer = options.Issuer ?? (entra is null ? options.Authority! : entra.GetIssuer(authority, tenant));
        if (string.IsNullOrWhiteSpace(issuer) || issuer.Contains('{', StringComparison.Ordinal))
            errors.Add("Token:Issuer", $"{PrintableText.Quoted(issuer)} does not pin one issuer",
                "Write the exact value of iss in your tokens");
        CheckSameTenant("Token:Authority", authority, tenant, errors);
        if (options.Issuer is not null && Uri.TryCreate(options.Issuer, UriKind.Absolute, out var issuerAddress))
            CheckSameTenant("Token:Issuer", issuerAddress, tenant, errors);
        return new TokenSettings(
            new Uri(authority.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/.well-known/openid-configuration" + authority.Query),
            issuer, options.Audience, options.ClientId, entra is not null, ParseCallers(options, tenant, errors));
    }

    /// <summary>Parses the rules for callers, which apply without an authority too.</summary>
    public static CallerPolicy ParseCallers(TokenOptions options, string? tenant, SettingsErrors errors)
    {
        if (!Enum.IsDefined(options.Kind))
            errors.Add("Token:Kind", $"{PrintableText.Quoted(options.Kind.ToString())} is not one of its values",
                $"Write {string.Join(", ", Enum.GetNames<TokenKind>())}");
        return new CallerPolicy(tenant, options.AllowGuests, options.AllowApplicationTokens)
        {
            Kind = options.Kind,
            RequiredScopes = ParseScopes(options.RequiredScopes, "Token:RequiredScopes", errors),
            RequiredRoles = ParseRoles(options.RequiredRoles, "Token:RequiredRoles", errors),
        };
    }

    /// <summary>Parses a list of roles, whose names may contain spaces.</summary>
    public static ImmutableArray<string> ParseRoles(IList<string> names, string key, SettingsErrors errors)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(names[i]) || names[i].Trim() != names[i])
                errors.Add($"{key}:{i}", $"{PrintableText.Quoted(names[i])} is empty, or starts or ends with white space",
                    "Write one name in each entry, as it is in the token");
        }
        return [.. names];
    }

    /// <summary>Parses a list of scopes, each of which is one word.</summary>
    public static ImmutableArray<string> ParseScopes(IList<string> names, string key, SettingsErrors errors)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (string.IsNullOrEmpty(names[i]) || names[i].Any(char.IsWhiteSpace))
                errors.Add($"{key}:{i}", $"{PrintableText.Quoted(names[i])} is not one word",
                    "Write one name in each entry, as it is in the token");
        }
        return [.. names];
    }

    private static void CheckAudiences(TokenOptions options, SettingsErrors errors)
    {
        CheckAudience(options.Audience, "Token:Audience", options.Kind == TokenKind.AccessToken,
            "Set it to the value of aud in tokens for this gateway, such as api://gateway or the application (client) id", errors);
        CheckAudience(options.ClientId, "Token:ClientId", options.Kind == TokenKind.IdToken,
            "Set it to the application (client) id that signs users in, which is the value of aud in ID tokens", errors);
        // With a tenant a scope is required anyway. Otherwise only the audience distinguishes a token of each kind.
        if (options.Audience is { } audience && audience == options.ClientId && options.TenantId is null
            && options.RequiredScopes.Count == 0)
            errors.Add("Token:RequiredScopes", "is empty, but Audience and ClientId have the same value",
                "List a scope that access tokens have, so that an ID token is not accepted as one, or use different values");
    }

    private static void CheckAudience(string? audience, string key, bool isRequired, string remedy, SettingsErrors errors)
    {
        if (audience is null ? isRequired : string.IsNullOrWhiteSpace(audience))
            errors.Add(key, "is missing", remedy);
        else if (audience is not null && audience.Trim() != audience)
            errors.Add(key, $"{PrintableText.Quoted(audience)} starts or ends with a blank", remedy);
    }

    /// <summary>Rejects an address that names another tenant than the settings: no token could be accepted.</summary>
    private static void CheckSameTenant(string key, Uri address, string? tenant, SettingsErrors errors)
    {
        if (address.Segments.Length > 1 && Guid.TryParseExact(address.Segments[1].TrimEnd('/'), "D", out var named)
            && Guid.TryParseExact(tenant, "D", out var required) && named != required)
            errors.Add(key, $"{PrintableText.Quoted(address.AbsoluteUri)} is of the tenant {named}, and {errors.Key("Token:TenantId")} is "
                + $"{required}", "Write the same tenant in both");
    }

    private static Uri? ParseAuthority(string? text, SettingsErrors errors)
    {
        const string Remedy = "Write the issuer's https address, such as https://login.microsoftonline.com/TENANT-ID/v2.0";
        if (string.IsNullOrWhiteSpace(text))
        {
            errors.Add("Token:Authority", "is missing", Remedy);
            return null;
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var authority) || !IsQueryAllowed(authority) || authority.Fragment.Length > 0
            || authority.UserInfo.Length > 0)
        {
            errors.Add("Token:Authority", $"{AddressText.Quoted(text)} is not the address of an issuer", Remedy);
            return null;
        }
        if (!KeyAddress.IsAllowed(authority))
        {
            errors.Add("Token:Authority",
                $"{AddressText.Quoted(text)} is neither https nor on a loopback address, so an attacker on the network could replace "
                    + "the signing keys", Remedy);
            return null;
        }
        return authority;
    }

    /// <summary>Determines whether the query of an authority is allowed: none, or <c>?appid=</c> with a client id for Entra.</summary>
    /// <remarks>Entra publishes the keys of an application with its own signing keys (for a claims mapping policy) only at this address.
    /// The query is not part of the issuer.</remarks>
    private static bool IsQueryAllowed(Uri authority)
    {
        const string Start = "?appid=";
        return authority.Query.Length == 0
            || (EntraCloud.Find(authority) is not null && authority.Query.StartsWith(Start, StringComparison.Ordinal)
                && Guid.TryParseExact(authority.Query[Start.Length..], "D", out _));
    }

    private static void CheckOtherTenant(string? tenant, SettingsErrors errors)
    {
        const string Remedy = "Write the value of tid in your tokens, or remove the setting if they have none";
        if (tenant is not null && string.IsNullOrWhiteSpace(tenant))
            errors.Add("Token:TenantId", "is blank", Remedy);
        else if (tenant is not null && tenant.Trim() != tenant)
            errors.Add("Token:TenantId", $"{PrintableText.Quoted(tenant)} starts or ends with a blank", Remedy);
    }

    private static string? ParseTenant(string? tenant, Uri authority, EntraCloud? entra, SettingsErrors errors)
    {
        if (entra is null)
        {
            CheckOtherTenant(tenant, errors);
            return tenant;
        }
        if (authority.Segments.Length > 1 && SharedTenants.Contains(authority.Segments[1].TrimEnd('/'), StringComparer.OrdinalIgnoreCase))
            errors.Add("Token:Authority", $"{PrintableText.Quoted(authority.AbsoluteUri)} stands for every tenant",
                "Replace common, organizations or consumers with your tenant's id");
        // Parsing would accept white space around it.
        if (tenant?.Length == 36 && Guid.TryParseExact(tenant, "D", out var id))
            return id.ToString("D"); // Entra writes it in lower case.
        errors.Add("Token:TenantId", tenant is null ? "is missing" : $"{PrintableText.Quoted(tenant)} is not a tenant id",
            "Write the directory (tenant) id, a GUID, from the overview page of Microsoft Entra ID");
        return null;
    }
}
