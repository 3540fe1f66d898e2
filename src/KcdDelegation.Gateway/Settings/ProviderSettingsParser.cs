using System.Collections.Frozen;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Parses the identity providers.</summary>
internal sealed class ProviderSettingsParser(GatewayOptions options, SettingsErrors errors)
{
    public FrozenDictionary<string, ProviderSettings> Parse()
    {
        if (options.IdentityProviders.Count == 0)
            errors.Add(nameof(GatewayOptions.IdentityProviders), "is empty",
                "Add the provider that signs users in, with IdentityProviders:NAME:Token:Authority");
        return options.IdentityProviders.Select(provider => Parse(provider.Key, provider.Value)).OfType<ProviderSettings>()
            .ToFrozenDictionary(provider => provider.Name, StringComparer.OrdinalIgnoreCase);
    }

    private ProviderSettings? Parse(string name, IdentityProviderOptions provider)
    {
        var key = $"{nameof(GatewayOptions.IdentityProviders)}:{name}";
        var token = provider.Token;
        if (token.Authority is null)
        {
            errors.Add($"{key}:Token:Authority", "is missing", "Write the address of the token issuer");
            return null;
        }
        if (token.Kind != TokenKind.AccessToken)
            errors.Add($"{key}:Token:Kind", $"{PrintableText.Quoted(token.Kind.ToString())} has no effect in the gateway",
                $"Remove it. {key}:SignIn:Caller names the token of a sign-in whose user is delegated");
        token.Kind = TokenKind.AccessToken;
        if (provider.SignIn is { } signIn)
        {
            if (string.IsNullOrWhiteSpace(token.ClientId))
                errors.Add($"{key}:Token:ClientId", $"is missing, but {key}:SignIn is set",
                    "Write the application (client) id that signs users in");
            if (signIn.Caller == TokenKind.AccessToken && token.Audience is null)
                errors.Add($"{key}:Token:Audience", $"is missing, but {key}:SignIn:Caller is AccessToken",
                    "Set it to the value of aud in access tokens for this gateway");
            if (signIn.ClientSecretFile is { } file)
                CheckSecret(file, $"{key}:SignIn:ClientSecretFile");
            // A provider that only signs users in needs no audience of access tokens.
            if (token.Audience is null)
                token.Kind = TokenKind.IdToken;
        }
        var own = errors.All.Where(error => error.Key.StartsWith($"{key}:", StringComparison.OrdinalIgnoreCase))
            .Select(error => error with { Key = error.Key[(key.Length + 1)..] }).ToList();
        var prefixed = new SettingsErrors(key, own);
        var parsed = TokenSettingsParser.Parse(token, prefixed);
        foreach (var error in prefixed.All.Skip(own.Count))
            errors.AddForAll(error.Text);
        return parsed is null ? null : new ProviderSettings(name, parsed, provider.SignIn);
    }

    private void CheckSecret(string path, string key)
    {
        KeyFile.Check(KeyFileKind.PasswordFile, path, key, errors);
        try
        {
            using var reader = File.OpenText(path);
            if (string.IsNullOrWhiteSpace(reader.ReadLine()))
                errors.Add(key, "names a file whose first line is empty", "Write the secret of the client at the provider to it");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Reported above.
        }
    }
}
