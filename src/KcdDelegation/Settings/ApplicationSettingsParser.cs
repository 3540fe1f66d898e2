using System.Collections.Frozen;
using KcdDelegation.Diagnosis;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Settings;

/// <summary>The parser of one <see cref="DelegatedApplication"/> into its <see cref="ApplicationSettings"/>.</summary>
internal sealed class ApplicationSettingsParser(
    KcdOptions options, FrozenDictionary<string, string> suffixRealms, KnownRealms realms, CallerPolicy callers, RealmKdcs kdcs,
    ClientLimits limits, SettingsErrors errors)
{
    /// <summary>Parses an application. Returns null if it has an error, which has been reported.</summary>
    public ApplicationSettings? Parse(string name, DelegatedApplication? application)
    {
        var key = $"Applications:{name}";
        if (string.IsNullOrWhiteSpace(name) || PrintableText.From(name, 64) != name)
            errors.Add(key, "has a name that cannot be printed", "Name applications with at most 64 visible characters");
        if (application is null)
        {
            errors.Add(key, "is empty", "Set InternalUrl and ServicePrincipalName");
            return null;
        }
        var targets = new TargetSettingsParser(application, key, errors);
        var hasUrl = targets.TryParseInternalUrl(isRequired: !options.ClustersHaveAddresses, out var url);
        var origins = targets.ParseOrigins();
        var hosts = targets.ParseHosts();
        var service = ParseService(application, key);
        var client = ParseClient(application, key);
        CheckIdentity(application, key);
        CheckEnum(application.TokenFormat, $"{key}:TokenFormat");
        CheckEnum(application.Start, $"{key}:Start");
        CheckEnum(application.MutualAuthentication, $"{key}:MutualAuthentication");
        CheckStart(application, key);
        var scopes = TokenSettingsParser.ParseScopes(application.RequiredScopes, $"{key}:RequiredScopes", errors);
        var roles = TokenSettingsParser.ParseRoles(application.RequiredRoles, $"{key}:RequiredRoles", errors);
        var rules = application.Callers ?? callers;
        var connections = ConnectionLimitsParser.Parse(options, application, origins, key, errors);
        if (!hasUrl || service is null || client is null)
            return null;
        return new ApplicationSettings(
            name, url, service, application.TokenFormat, application.Start, application.MutualAuthentication,
            application.ChannelBinding, application.ShareConnectionsBetweenUsers, client,
            CreateMapping(name, application, client.Realm) with { AllowGuests = rules.AllowGuests },
            rules with
            {
                AllowBuiltInAccounts = application.AllowBuiltInAccounts,
                RequiredScopes = [.. rules.RequiredScopes.Union(scopes, StringComparer.Ordinal)],
                RequiredRoles = [.. rules.RequiredRoles.Union(roles, StringComparer.Ordinal)],
            })
        {
            AdditionalOrigins = origins,
            AllowedHosts = hosts,
            AllowPlainHttp = application.AllowPlainHttp,
            AllowEncodedSlashes = application.AllowEncodedSlashes,
            RequireChannelBinding = application.RequireChannelBinding,
            Connections = connections,
        };
    }

    private MappingContext CreateMapping(string name, DelegatedApplication application, string realm) => new()
    {
        ApplicationName = name,
        LoginIdentity = application.LoginIdentity,
        Realm = realm,
        UserRealm = application.UserRealm!,
        Realms = realms,
        UserPrincipalSuffixes = suffixRealms,
        ClaimType = application.ClaimType,
        AllowUnsafeClaimType = application.AllowUnsafeClaimType,
        AllowGuests = callers.AllowGuests,
        RequireSecurityIdentifier = application.RequireSecurityIdentifier,
    };

    private ServicePrincipalName? ParseService(DelegatedApplication application, string key)
    {
        var nameKey = $"{key}:ServicePrincipalName";
        if (string.IsNullOrWhiteSpace(application.ServicePrincipalName))
        {
            errors.Add(nameKey, $"is missing (event {KcdEventId.NoServicePrincipalName})",
                "Write the SPN that the backend's account holds, such as HTTP/erp.contoso.com; setspn -L ACCOUNT lists them");
            return null;
        }
        if (!ServicePrincipalName.TryParse(application.ServicePrincipalName, provider: null, out var service))
        {
            errors.Add(nameKey, $"{PrintableText.Quoted(application.ServicePrincipalName)} is not a service principal name",
                "Write class/host, such as HTTP/erp.contoso.com");
            return null;
        }
        return ServiceNames.Check(service, application.AllowServiceClass, key, errors) ? service : null;
    }

    private ClientSettings? ParseClient(DelegatedApplication application, string key)
    {
        var realm = application.Realm ?? options.Realm;
        var realmIsRight = true;
        if (realm is null)
        {
            errors.Add("Realm", "is missing", "Write the delegating account's realm, such as CONTOSO.COM");
            realmIsRight = false;
        }
        else if (application.Realm is not null)
        {
            realmIsRight = RealmNames.Check(application.Realm, $"{key}:Realm", errors);
            if (application.ServiceAccount is null)
            {
                errors.Add($"{key}:ServiceAccount", "is missing, but the application has its own realm",
                    "Write the account of that realm with its Name and Keytab");
                return null;
            }
        }
        var account = application.ServiceAccount ?? options.ServiceAccount;
        var accountKey = application.ServiceAccount is null ? "ServiceAccount" : $"{key}:ServiceAccount";
        if (account is null || string.IsNullOrWhiteSpace(account.Name))
        {
            errors.Add($"{accountKey}:Name", "is missing", "Write the sAMAccountName of the account that may delegate, such as CONNECTOR$");
            return null;
        }
        if (FindAccountNameViolation(account.Name) is { } why)
        {
            errors.Add($"{accountKey}:Name", $"{PrintableText.Quoted(account.Name)} is not an account's name: {why}",
                "Write the sAMAccountName without domain, such as CONNECTOR$");
            return null;
        }
        var sources = new[]
        {
            (Name: "Keytab", IsSet: !string.IsNullOrWhiteSpace(account.Keytab)),
            (Name: "PasswordFile", IsSet: !string.IsNullOrWhiteSpace(account.PasswordFile)),
            (Name: "ManagedPassword", IsSet: account.ManagedPassword is not null),
        }.Where(source => source.IsSet).Select(source => source.Name).ToList();
        if (sources.Count != 1)
        {
            errors.Add($"{accountKey}:{sources.FirstOrDefault("Keytab")}",
                sources.Count == 0 ? "is missing" : $"is set together with {string.Join(" and ", sources.Skip(1))}",
                "Set exactly one of Keytab and PasswordFile to the path of a file, or ManagedPassword for a group managed service account");
            return null;
        }
        if (account.ManagedPassword is { } managed)
        {
            PasswordRollParser.Parse(account.PasswordRoll, KeyFileKind.ReaderKeytab, $"{accountKey}:PasswordRoll", errors);
            return ManagedPasswordSettingsParser.Parse(managed, realm, $"{accountKey}:ManagedPassword", options, kdcs, limits, errors) is
                { } settings && realmIsRight
                ? new ClientSettings(realm!, account.Name, KeyFileKind.ReaderKeytab, settings.ReaderKeytab, kdcs)
                {
                    Limits = limits,
                    ManagedPassword = settings,
                }
                : null;
        }
        var (kind, path, pathKey) = string.IsNullOrWhiteSpace(account.Keytab)
            ? (KeyFileKind.PasswordFile, account.PasswordFile!, $"{accountKey}:PasswordFile")
            : (KeyFileKind.Keytab, account.Keytab, $"{accountKey}:Keytab");
        KeyFile.Check(kind, path, pathKey, errors);
        var roll = PasswordRollParser.Parse(account.PasswordRoll, kind, $"{accountKey}:PasswordRoll", errors);
        return realmIsRight
            ? new ClientSettings(realm!, account.Name, kind, path, kdcs) { Limits = limits, PasswordRoll = roll }
            : null;
    }

    /// <summary>Validates the components of an account's name. Accounts of MIT realms may have several, such as
    /// HTTP/gateway.example.</summary>
    private static string? FindAccountNameViolation(string name) =>
        name.Split('/').Select(NameRules.FindAccountNameViolation).FirstOrDefault(why => why is not null);

    private void CheckIdentity(DelegatedApplication application, string key)
    {
        CheckEnum(application.LoginIdentity, $"{key}:LoginIdentity");
        if (application.UserRealm is not null)
            RealmNames.Check(application.UserRealm, $"{key}:UserRealm", errors);
        else if (realms.AreSeveral && suffixRealms.Count == 0 && realms.ByNetBiosName.Count == 0
            && NeedsUserRealm(application.LoginIdentity))
            errors.Add($"{key}:UserRealm",
                "is missing, but several realms are configured "
                    + $"({string.Join(", ", realms.ByDomain.Values.Order(StringComparer.Ordinal))}), "
                    + $"and LoginIdentity {application.LoginIdentity} does not say in which one an account is",
                "Set it to the realm of the application's users, or list the suffixes of users under "
                    + errors.Key("Realms:NAME:UserPrincipalSuffixes"));
        if (application.ClaimType is not { } claim)
            return;
        if (string.IsNullOrWhiteSpace(claim))
            errors.Add($"{key}:ClaimType", "is blank", "Write a claim's name, or remove the setting");
        else if (ClaimSources.IsUnsafe(claim) && !application.AllowUnsafeClaimType)
            errors.Add($"{key}:ClaimType", $"{PrintableText.Quoted(claim)} can be set by users to another user's name",
                $"Use upn, onprem_sam_account_name or a claim that only the directory sets. {errors.Key($"{key}:AllowUnsafeClaimType")} "
                    + "allows it at your own risk");
    }

    private static bool NeedsUserRealm(LoginIdentity identity) => identity is LoginIdentity.OnPremisesSamAccountName
        or LoginIdentity.UserPrincipalUsername or LoginIdentity.OnPremisesUserPrincipalUsername;

    /// <summary>Rejects settings that conflict with a first request without a ticket.</summary>
    private void CheckStart(DelegatedApplication application, string key)
    {
        if (application.Start != AuthenticationStart.OnChallenge)
            return;
        var start = errors.Key($"{key}:Start");
        if (application.MutualAuthentication == MutualAuthentication.Required)
            errors.Add($"{key}:MutualAuthentication",
                $"is Required together with {start} OnChallenge. The first request carries no ticket, so its response cannot prove the "
                    + "backend's identity and would always be refused",
                $"Set {start} to Preemptive, or MutualAuthentication to Optional");
        if (application.ShareConnectionsBetweenUsers)
            errors.Add($"{key}:ShareConnectionsBetweenUsers",
                $"is true together with {start} OnChallenge. A user's first request carries no ticket, so a backend that remembers the "
                    + "connection's last user would answer it as that user",
                $"Set {start} to Preemptive, or ShareConnectionsBetweenUsers to false");
    }

    private void CheckEnum<T>(T value, string key)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            errors.Add(key, $"{PrintableText.Quoted(value.ToString())} is not one of its values",
                $"Write {string.Join(", ", Enum.GetNames<T>())}");
    }
}
