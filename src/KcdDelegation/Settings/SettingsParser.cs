using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using KcdDelegation.Diagnosis;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Settings;

/// <summary>Parses <see cref="KcdOptions"/> into <see cref="KcdSettings"/>, or reports everything that is wrong with them.</summary>
internal sealed class SettingsParser
{
    private readonly KcdOptions _options;
    private readonly SettingsErrors _errors;

    private SettingsParser(KcdOptions options) =>
        (_options, _errors) = (options, new SettingsErrors(options.Section, options.BindingErrors));

    /// <returns>True with settings, or false with at least one error.</returns>
    public static bool TryParse(KcdOptions options, [NotNullWhen(true)] out KcdSettings? settings, out IReadOnlyList<string> errors)
    {
        var parser = new SettingsParser(options);
        var parsed = parser.Parse();
        errors = [.. parser.GetErrors().Select(error => error.Text)];
        settings = errors.Count == 0 ? parsed : null;
        return settings is not null;
    }

    /// <summary>Returns everything that is wrong with the options, with the key of each error.</summary>
    public static IReadOnlyList<SettingsError> FindErrors(KcdOptions options)
    {
        var parser = new SettingsParser(options);
        _ = parser.Parse();
        return parser.GetErrors();
    }

    private IReadOnlyList<SettingsError> GetErrors()
    {
        if (_errors.All.Count > 0 && _options.IsSectionEmpty)
            _errors.AddForAll($"The section {PrintableText.Quoted(_options.Section)} of the configuration does not exist or is empty. "
                + "Write the settings there, or correct the name of the section.");
        return _errors.All;
    }

    private KcdSettings Parse()
    {
        if (_options.Realm is not null)
            RealmNames.Check(_options.Realm, "Realm", _errors);
        ConnectionLimitsParser.Check(_options, _errors);
        var limits = ClientLimits.Parse(_options, _errors);
        var kdcs = ParseKdcs();
        var token = TokenSettingsParser.Parse(_options.Token, _errors);
        var callers = token?.Callers ?? TokenSettingsParser.ParseCallers(_options.Token, _options.Token.TenantId, _errors);
        var (suffixes, rewritten) = new SuffixSettingsParser(_options, _errors).Parse();

        if (_options.Applications.Count == 0)
            _errors.Add("Applications", "is empty",
                $"Add the backend to call, with {_errors.Key("Applications:NAME:InternalUrl")} and ServicePrincipalName");
        var applicationParser = new ApplicationSettingsParser(
            _options, suffixes, ParseRealms() with { RewrittenSuffixes = rewritten }, callers, kdcs, limits, _errors);
        var applications = _options.Applications
            .Select(application => applicationParser.Parse(application.Key, application.Value))
            .OfType<ApplicationSettings>()
            .ToArray();
        CheckOneKeyPerAccount(applications);
        return new KcdSettings(applications.ToFrozenDictionary(application => application.Name, StringComparer.OrdinalIgnoreCase), token)
        {
            Limits = limits,
        };
    }

    private RealmKdcs ParseKdcs()
    {
        var byRealm = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<KdcEndpoint>>(StringComparer.Ordinal);
        Add(_options.Realm, _options.Kdcs, "Kdcs");
        foreach (var (realm, settings) in _options.Realms)
        {
            RealmNames.Check(realm, $"Realms:{realm}", _errors);
            if (settings is not null)
                Add(realm, settings.Kdcs, $"Realms:{realm}:Kdcs");
        }
        return new RealmKdcs(byRealm.ToImmutable());

        void Add(string? realm, IList<string> texts, string key)
        {
            var endpoints = ImmutableArray.CreateBuilder<KdcEndpoint>();
            for (var i = 0; i < texts.Count; i++)
            {
                if (KdcEndpoint.TryParse(texts[i], provider: null, out var endpoint))
                    endpoints.Add(endpoint);
                else
                    _errors.Add($"{key}:{i}", $"{PrintableText.Quoted(texts[i])} is not a KDC",
                        "Write dc1.contoso.com, dc1.contoso.com:88 or [2001:db8::1]:88");
            }
            if (endpoints.Count == 0)
                return;
            if (realm is null)
                _errors.Add("Kdcs", "has KDCs of no realm",
                    $"Set {_errors.Key("Realm")}, or move them to {_errors.Key("Realms:NAME:Kdcs")}");
            else if (!byRealm.TryAdd(realm, endpoints.ToImmutable()))
                _errors.Add(key, $"lists KDCs of {PrintableText.Quoted(realm)}, which are also listed elsewhere",
                    $"Keep either this list or {_errors.Key("Kdcs")}");
        }
    }

    /// <summary>Collects the realms of all settings: of accounts, of users and of the list.</summary>
    private KnownRealms ParseRealms()
    {
        var applications = _options.Applications.Values.Where(application => application is not null).ToList();
        var names = applications.Select(application => application.Realm)
            .Concat(applications.Select(application => application.UserRealm)).Append(_options.Realm).Concat(_options.Realms.Keys)
            .OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var netBiosNames = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (realm, settings) in _options.Realms)
        {
            if (settings?.NetBiosName is not { } name)
                continue;
            var key = $"Realms:{realm}:NetBiosName";
            if (NameRules.FindAccountNameViolation(name) is { } why)
                _errors.Add(key, $"{PrintableText.Quoted(name)} is not the name of a domain: {why}", "Write a name such as CONTOSO");
            else if (!netBiosNames.TryAdd(name, realm))
                _errors.Add(key, $"{PrintableText.Quoted(name)} is also the name of {netBiosNames[name]}",
                    "Write each name once: a domain belongs to one realm");
        }
        return new KnownRealms(
            names.Count > 1, names.ToFrozenDictionary(name => name, StringComparer.OrdinalIgnoreCase),
            netBiosNames.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Rejects different key files for one account. One client exists per realm and account, so its key has one source.</summary>
    private void CheckOneKeyPerAccount(ApplicationSettings[] applications)
    {
        foreach (var account in applications.GroupBy(application => (application.Client.Realm, application.Client.AccountName)))
        {
            var first = account.First();
            foreach (var other in account.Where(application => application.Client != first.Client))
                _errors.Add($"Applications:{other.Name}:ServiceAccount",
                    $"uses another key file or PasswordRoll for {PrintableText.From(first.Client.AccountName)} than "
                        + _errors.Key($"Applications:{first.Name}"),
                    "Name the same keytab or password file in both, and the same PasswordRoll");
        }
    }
}
