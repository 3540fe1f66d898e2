using System.Collections.Immutable;
using System.CommandLine;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Tool.Settings;

/// <summary>The options for the delegating account and its KDCs.</summary>
/// <remarks>An option takes precedence over <c>--config</c>. Within that file, the settings of the application of <c>--app</c> take
/// precedence, as in the library.</remarks>
internal sealed class AccountOptions
{
    private readonly Option<string> _config = new("--config")
    {
        Description = "The settings of a host (JSON, section \"Kcd\"). The options below take precedence.",
        HelpName = "FILE",
    };

    private readonly Option<string> _application = new("--app")
    {
        Description = "An application of --config. Its account, realm, SPN, user realm and token format are used.",
        HelpName = "NAME",
    };

    private readonly Option<string> _realm = new("--realm")
    {
        Description = "The account's realm, such as CONTOSO.COM.",
        HelpName = "REALM",
    };

    private readonly Option<RealmKdc[]> _kdcs = new Option<RealmKdc[]>("--kdc")
    {
        Description = "A KDC of the account's realm, or of REALM. Can be repeated; the order is the order of preference. "
            + "udp/HOST selects UDP first. Default: krb5.conf, then DNS SRV records.",
        HelpName = "[REALM=]HOST[:PORT]",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    }.WithItemParser(RealmKdc.Parse);

    private readonly Option<string> _account = new("--account")
    {
        Description = "The delegating account: its sAMAccountName (computers with the trailing $), or its principal in an MIT realm.",
        HelpName = "NAME",
    };

    private readonly Option<string> _keytab = new("--keytab")
    {
        Description = "The file with the account's keys.",
        HelpName = "FILE",
    };

    private readonly Option<string> _passwordFile = new("--password-file")
    {
        Description = "The file with the account's password, as an alternative to a keytab; - reads standard input.",
        HelpName = "FILE|-",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _config, _application, _realm, _kdcs, _account, _keytab, _passwordFile })
            command.Add(option);
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="missing">Receives the missing values. The result must not be used if there are any.</param>
    /// <exception cref="UsageException">The values contradict each other, or the settings cannot be read.</exception>
    public DelegationSettings Read(ParseResult parsed, MissingOptions missing)
    {
        var path = parsed.GetValue(_config);
        var file = path is null ? new KcdOptions() : ConfigurationFile.Read(path);
        if (path is not null)
            ConfigurationFile.ThrowIfInvalid(file, parsed.GetValue(_application), FindReplaced(parsed));
        var application = ReadApplication(parsed, path, file, missing);
        var realm = parsed.GetValue(_realm) ?? application?.Options.Realm ?? file.Realm
            ?? Add(missing, "the account's realm", "--realm REALM", "Kcd:Realm");
        if (parsed.GetValue(_realm) is { } given && !KerberosPrincipal.IsRealm(given))
            throw new UsageException("--realm: The text is not a realm name such as CONTOSO.COM.");
        var configured = application?.Options.ServiceAccount ?? file.ServiceAccount;
        var account = parsed.GetValue(_account) ?? configured.Name
            ?? Add(missing, "the account", "--account NAME", "Kcd:ServiceAccount:Name");
        var accountKey = application?.Options.ServiceAccount is null ? "Kcd:ServiceAccount" : application.GetKey("ServiceAccount");
        var kdcs = ReadKdcs(parsed, realm, file);
        var limits = ClientLimits.Parse(file, new("Kcd"));
        var key = UsesManagedPassword(parsed, configured)
            ? ReadManagedPassword(configured.ManagedPassword!, realm, accountKey, file, kdcs, limits)
            : ReadKey(parsed, configured, accountKey, missing);
        return new DelegationSettings(realm, account, key, kdcs, ReadSuffixes(file), application, limits);
    }

    private ConfiguredApplication? ReadApplication(ParseResult parsed, string? path, KcdOptions file, MissingOptions missing)
    {
        if (parsed.GetValue(_application) is not { } name)
            return null;
        if (path is null)
        {
            missing.Add("the settings with the application of --app", "--config FILE");
            return null;
        }
        return ConfiguredApplication.Find(file, name);
    }

    /// <summary>Returns the keys of settings that the command line replaces, or that a command without an application does not
    /// need.</summary>
    private IEnumerable<string> FindReplaced(ParseResult parsed)
    {
        var name = parsed.GetValue(_application);
        string[] sections = name is null ? [""] : ["", $"Applications:{name}:"];
        foreach (var section in sections)
        {
            if (parsed.GetValue(_realm) is not null)
                yield return $"{section}Realm";
            if (parsed.GetValue(_account) is not null)
            {
                yield return $"{section}ServiceAccount";
                yield return $"{section}ServiceAccount:Name";
            }
            if (parsed.GetValue(_keytab) is not null || parsed.GetValue(_passwordFile) is not null)
            {
                yield return $"{section}ServiceAccount:Keytab";
                yield return $"{section}ServiceAccount:PasswordFile";
            }
        }
        if (name is null)
            yield return "Applications";
    }

    private bool UsesManagedPassword(ParseResult parsed, ServiceAccountOptions configured) =>
        configured.ManagedPassword is not null && parsed.GetValue(_keytab) is null && parsed.GetValue(_passwordFile) is null;

    private static AccountKeyFile ReadManagedPassword(
        ManagedPasswordOptions managed,
        string realm,
        string settingsKey,
        KcdOptions file,
        Dictionary<string, IReadOnlyList<KdcEndpoint>> kdcs,
        ClientLimits limits)
    {
        var errors = new SettingsErrors("");
        var byRealm = new RealmKdcs(kdcs.ToImmutableSortedDictionary(
            entry => entry.Key, entry => entry.Value.ToImmutableArray(), StringComparer.Ordinal));
        var settings = ManagedPasswordSettingsParser.Parse(
            managed, realm, $"{settingsKey}:ManagedPassword", file, byRealm, limits, errors)
            ?? throw new UsageException(string.Join(Environment.NewLine, errors.All.Select(error => error.Text)));
        return new AccountKeyFile(KeyFileKind.ReaderKeytab, settings.ReaderKeytab, $"{settingsKey}:ManagedPassword:ReaderKeytab")
        {
            ManagedPassword = settings,
        };
    }

    private AccountKeyFile ReadKey(ParseResult parsed, ServiceAccountOptions configured, string settingsKey, MissingOptions missing)
    {
        var (keytab, passwordFile) = (parsed.GetValue(_keytab), parsed.GetValue(_passwordFile));
        var (keytabOrigin, passwordOrigin) = (_keytab.Name, _passwordFile.Name);
        if (keytab is null && passwordFile is null)
        {
            (keytab, passwordFile) = (configured.Keytab, configured.PasswordFile);
            (keytabOrigin, passwordOrigin) = ($"{settingsKey}:Keytab", $"{settingsKey}:PasswordFile");
        }
        return (keytab, passwordFile) switch
        {
            (null, null) => new AccountKeyFile(
                KeyFileKind.Keytab,
                Add(missing, "the account's key", "--keytab FILE or --password-file FILE", "Kcd:ServiceAccount:Keytab"),
                keytabOrigin),
            ({ } path, null) => new AccountKeyFile(KeyFileKind.Keytab, path, keytabOrigin),
            (null, "-") => new AccountKeyFile(KeyFileKind.StandardInput, "-", passwordOrigin),
            (null, { } path) => new AccountKeyFile(KeyFileKind.PasswordFile, path, passwordOrigin),
            _ => throw new UsageException($"{keytabOrigin} and {passwordOrigin} cannot be combined. Specify one of the two."),
        };
    }

    private Dictionary<string, IReadOnlyList<KdcEndpoint>> ReadKdcs(ParseResult parsed, string realm, KcdOptions file)
    {
        var kdcs = new Dictionary<string, IReadOnlyList<KdcEndpoint>>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, settings) in file.Realms)
            AddFromFile(name, settings.Kdcs);
        // The list of the file belongs to the realm of the file, regardless of --realm.
        AddFromFile(file.Realm ?? realm, file.Kdcs);
        var options = parsed.GetValue(_kdcs) ?? [];
        foreach (var group in options.GroupBy(kdc => kdc.Realm ?? realm, kdc => kdc.Endpoint, StringComparer.OrdinalIgnoreCase))
            kdcs[group.Key] = [.. group];
        return kdcs;

        void AddFromFile(string name, IList<string> texts)
        {
            if (texts.Count > 0)
                kdcs[name] = [.. texts.Select(text => KdcEndpoint.Parse(text))];
        }
    }

    /// <summary>Returns the realm of each suffix. The settings have been checked: a suffix belongs to one realm.</summary>
    private static Dictionary<string, string> ReadSuffixes(KcdOptions file) =>
        file.Realms.SelectMany(realm => realm.Value.UserPrincipalSuffixes, (realm, suffix) => (Suffix: suffix, Realm: realm.Key))
            .ToDictionary(entry => entry.Suffix, entry => entry.Realm, StringComparer.OrdinalIgnoreCase);

    private static string Add(MissingOptions missing, string subject, string option, string key) =>
        missing.Add(subject, $"{option}, or --config FILE with {key}");
}
