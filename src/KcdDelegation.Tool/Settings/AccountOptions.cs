using System.CommandLine;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Tool.Settings;

/// <summary>The options that say which account delegates, and where its KDCs are. What <c>--config</c> says is overruled by the others; of
/// its values, those of the application of <c>--app</c> come first, as in the library.</summary>
internal sealed class AccountOptions
{
    private readonly Option<string> _config = new("--config")
    {
        Description = "Settings of a host (JSON, section \"Kcd\"); the options below overrule it.",
        HelpName = "FILE",
    };

    private readonly Option<string> _application = new("--app")
    {
        Description = "An application of --config, by its name there: its account, realm, SPN, user realm and token format.",
        HelpName = "NAME",
    };

    private readonly Option<string> _realm = new("--realm")
    {
        Description = "The account's realm, such as CONTOSO.COM.",
        HelpName = "REALM",
    };

    private readonly Option<RealmKdc[]> _kdcs = new Option<RealmKdc[]>("--kdc")
    {
        Description = "A KDC, of the account's realm or of the one named; tried in the order given. udp/HOST for UDP first. None: krb5.conf, then DNS SRV records.",
        HelpName = "[REALM=]HOST[:PORT]",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    }.EachParsedBy(RealmKdc.Parse);

    private readonly Option<string> _account = new("--account")
    {
        Description = "The account that delegates: its sAMAccountName (a computer's with its $), or with an MIT KDC its principal.",
        HelpName = "NAME",
    };

    private readonly Option<string> _keytab = new("--keytab")
    {
        Description = "The account's keys.",
        HelpName = "FILE",
    };

    private readonly Option<string> _passwordFile = new("--password-file")
    {
        Description = "The account's password in a file instead of a keytab; - reads standard input.",
        HelpName = "FILE|-",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _config, _application, _realm, _kdcs, _account, _keytab, _passwordFile })
            command.Add(option);
    }

    /// <exception cref="UsageException">Something is missing or doubled.</exception>
    public DelegationSettings Read(ParseResult parsed)
    {
        var path = parsed.GetValue(_config);
        var file = path is null ? new KcdOptions() : ConfigurationFile.Read(path);
        var application = ReadApplication(parsed, path, file);
        var realm = parsed.GetValue(_realm) ?? application?.Options.Realm ?? file.Realm ?? throw Missing("the account's realm", "--realm REALM", "Kcd:Realm");
        var configured = application?.Options.ServiceAccount ?? file.ServiceAccount;
        var account = parsed.GetValue(_account) ?? configured.Name ?? throw Missing("the account", "--account NAME", "Kcd:ServiceAccount:Name");
        return new DelegationSettings(realm, account, ReadKey(parsed, configured), ReadKdcs(parsed, realm, file), ReadSuffixes(file), application);
    }

    private ConfiguredApplication? ReadApplication(ParseResult parsed, string? path, KcdOptions file)
    {
        if (parsed.GetValue(_application) is not { } name)
            return null;
        if (path is null)
            throw new UsageException("--app NAME names an application of a file of settings: give --config FILE too.");
        var application = ConfiguredApplication.Find(file, name);
        // The account of the other realm would log on there; the library refuses these settings too.
        if (application.Options is { Realm: not null, ServiceAccount: null } && parsed.GetValue(_account) is null)
            throw new UsageException($"{application.Key("Realm")} is set, but {application.Key("ServiceAccount")} is not: name the account of that realm there, or give --account NAME.");
        return application;
    }

    private AccountKeyProvider ReadKey(ParseResult parsed, ServiceAccountOptions file)
    {
        var (keytab, passwordFile) = (parsed.GetValue(_keytab), parsed.GetValue(_passwordFile));
        if (keytab is null && passwordFile is null)
            (keytab, passwordFile) = (file.Keytab, file.PasswordFile);
        return (keytab, passwordFile) switch
        {
            (null, null) => throw Missing("the account's key", "--keytab FILE or --password-file FILE", "Kcd:ServiceAccount:Keytab"),
            ({ } path, null) => new AccountKeyProvider(KeyFileKind.Keytab, path),
            (null, "-") => new AccountKeyProvider(KeyFileKind.StandardInput, "-"),
            (null, { } path) => new AccountKeyProvider(KeyFileKind.PasswordFile, path),
            _ => throw new UsageException("The account's key comes from a keytab or from a password: give one of the two."),
        };
    }

    private Dictionary<string, IReadOnlyList<KdcEndpoint>> ReadKdcs(ParseResult parsed, string realm, KcdOptions file)
    {
        var kdcs = new Dictionary<string, IReadOnlyList<KdcEndpoint>>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, settings) in file.Realms)
            AddFromFile(name, settings.Kdcs);
        // The file's own realm is meant by its list, whatever --realm says.
        AddFromFile(file.Realm ?? realm, file.Kdcs);
        foreach (var given in (parsed.GetValue(_kdcs) ?? []).GroupBy(kdc => kdc.Realm ?? realm, kdc => kdc.Endpoint, StringComparer.OrdinalIgnoreCase))
            kdcs[given.Key] = [.. given];
        return kdcs;

        void AddFromFile(string name, IList<string> texts)
        {
            if (texts.Count > 0)
                kdcs[name] = [.. texts.Select(text => KdcEndpoint.TryParse(text, provider: null, out var kdc) ? kdc : throw new UsageException($"Kcd: {text} is not a KDC; it looks like dc1.contoso.com or dc1.contoso.com:88."))];
        }
    }

    private static Dictionary<string, string> ReadSuffixes(KcdOptions file)
    {
        var realms = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (realm, settings) in file.Realms)
        {
            foreach (var suffix in settings.UserPrincipalSuffixes)
            {
                if (!realms.TryAdd(suffix, realm))
                    throw new UsageException($"Kcd: the suffix {suffix} is listed under {realms[suffix]} and again under {realm}: the same name in two realms is two people.");
            }
        }
        return realms;
    }

    private static UsageException Missing(string what, string option, string key) => new($"Nothing names {what}: give {option}, or --config FILE with {key}.");
}
