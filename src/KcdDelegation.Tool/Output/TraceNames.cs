using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Tool.Output;

/// <summary>The names in a transcript: as they are, or replaced by USER1, HOST1, REALM1 and the like.</summary>
/// <remarks>Texts can contain a name before the field that names it. A transcript is therefore created twice with the same object: the
/// first time to learn the names. A name that differs from the first one only in the case of letters is replaced in lower case (realm1),
/// because realms and names of MIT krb5 are case-sensitive.</remarks>
internal sealed class TraceNames
{
    /// <summary>Shorter names are replaced in texts as whole words only.</summary>
    private const int MinimumLengthInsideWords = 6;

    /// <summary>The beginning by which a truncated text is recognized.</summary>
    private const int PrefixLength = 48;

    private static readonly HashSet<string> s_serviceClasses = new(StringComparer.OrdinalIgnoreCase)
    {
        "HTTP", "HOST", "CIFS", "LDAP", "GC", "DNS", "RPC", "NFS", "kadmin", "MSSQLSvc", "TERMSRV", "WSMAN", "RestrictedKrbHost",
        "postgres", "imap", "smtp", "xmpp", "oracle", "mongodb", "kafka", "hive", "ftp",
    };

    // The texts of MIT krb5's KDC, of Heimdal and of Samba that contain no names.
    private static readonly HashSet<string> s_kdcTexts = new(StringComparer.Ordinal)
    {
        "NEEDED_PREAUTH", "PREAUTH_FAILED", "CLIENT_NOT_FOUND", "SERVER_NOT_FOUND", "LOOKING_UP_CLIENT", "LOOKING_UP_SERVER",
        "NOT_ALLOWED_TO_DELEGATE", "EVIDENCE_TKT_NOT_FORWARDABLE", "EVIDENCE_TICKET_MISMATCH", "UNSUPPORTED_S4U2PROXY_REQUEST",
        "INVALID_S4U2PROXY_OPTIONS", "INVALID_S4U2PROXY_XREALM_REQUEST", "INVALID_S4U2SELF_REQUEST", "INVALID_S4U2SELF_OPTIONS",
        "S4U2PROXY_NO_HEADER_PAC", "S4U2PROXY_CNAME_MISMATCH", "NO_2ND_TKT", "PROCESS_TGS", "BAD_ENCRYPTION_TYPE", "TGT_NOT_FORWARDABLE",
        "CLIENT LOCKED OUT", "CLIENT EXPIRED", "CLIENT KEY EXPIRED", "REQUIRED PWCHANGE", "SERVICE EXPIRED", "SERVICE NOT ALLOWED",
        "SERVER LOCKED OUT", "NO HW PREAUTH", "NO PREAUTH", "Need to use PA-ENC-TIMESTAMP/PA-PK-AS-REQ", "Failed to decrypt PA-DATA",
    };

    private readonly Dictionary<(string Kind, string Name), Replacement> _replacements = [];
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Replacement> _forms = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Replacement> _prefixes = new(StringComparer.Ordinal);

    public TraceNames(bool isAnonymous) => IsAnonymous = isAnonymous;

    /// <summary>Gets whether names are replaced.</summary>
    public bool IsAnonymous { get; }

    public string Show(PrincipalName name)
    {
        if (!IsAnonymous)
            return LabelledLines.ToPrintable(name.ToString());
        return name.Components switch
        {
            ["krbtgt", var realm] => $"krbtgt/{ShowRealm(realm)}",
            [var only] => ShowUser(only),
            { Count: > 1 } components =>
                $"{ShowServiceClass(components[0])}/{string.Join('/', components.Skip(1).Select(ShowInstance))}",
            _ => "",
        };
    }

    public string Show(KerberosPrincipal principal) => principal.Realm is { } realm
        ? $"{Show(PrincipalName.From(principal))}@{ShowRealm(realm)}"
        : Show(PrincipalName.From(principal));

    public string Show(ServicePrincipalName service)
    {
        var name = Show(PrincipalName.From(service));
        return service.Realm is { } realm ? $"{name}@{ShowRealm(realm)}" : name;
    }

    /// <summary>Returns a name without a realm. The part after an at sign is the suffix of a user principal name.</summary>
    public string ShowUser(string name)
    {
        if (IsAnonymous && name.LastIndexOf('@') is > 0 and var at)
            return $"{ShowUser(name[..at])}@{ShowRealm(name[(at + 1)..])}";
        // A computer's name is also its account without the dollar sign.
        return Replace("USER", name, name.TrimEnd('$'));
    }

    public string ShowRealm(string realm) =>
        // The first label is by default the NetBIOS name of the domain.
        Replace("REALM", realm, realm.Split('.')[0]);

    public string ShowHost(string host)
    {
        if (System.Net.IPAddress.TryParse(host, out _))
            return ShowAddress(host);
        var shown = Replace("HOST", host, host.Split('.')[0]);
        if (IsAnonymous && host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && dot + 1 < host.Length)
            AddForm(host[(dot + 1)..], GetReplacement("DOMAIN", host[(dot + 1)..]), isDerived: true);
        return shown;
    }

    public string ShowAddress(string address) => Replace("ADDRESS", address);

    public string ShowSid(string sid) => Replace("SID", sid);

    public string ShowFile(string path) => Replace("FILE", path, Path.GetFullPath(path), Path.GetFileName(path));

    /// <summary>Learns a salt, which consists of names and occurs in texts.</summary>
    public void AddSalt(string salt) => Replace("SALT", salt, PrintableText.Quoted(salt).Trim('"'));

    /// <summary>Returns the text of a KDC. Without names, only texts that are known to have none are kept.</summary>
    public string ShowKdcText(string text)
    {
        var printable = PrintableText.From(text, 256);
        if (!IsAnonymous || s_kdcTexts.Contains(text))
            return printable;
        var shown = Replace("TEXT", text, printable);
        if (LabelledLines.ToPrintable(text) is { Length: > PrefixLength } whole)
            _prefixes[whole[..PrefixLength]] = GetReplacement("TEXT", text);
        return shown;
    }

    /// <summary>Returns a text of this program with every known name replaced.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public string? ShowText(string? text)
    {
        if (text is null || !IsAnonymous)
            return text is null ? null : LabelledLines.ToPrintable(text);
        text = LabelledLines.ToPrintable(text);
        var forms = _forms.Where(form => text.Contains(form.Key, StringComparison.OrdinalIgnoreCase))
            .OrderByDescending(static form => form.Key.Length).ToList();
        var shown = new StringBuilder();
        for (var position = 0; position < text.Length;)
        {
            var (form, replacement) = forms.Find(form => IsAt(text, position, form.Key));
            if (form is not null)
            {
                shown.Append(replacement.Get(text.Substring(position, form.Length)));
                position += form.Length;
                continue;
            }
            // A message can contain the beginning of a long text. Nothing after it is kept.
            var cut = _prefixes.FirstOrDefault(prefix => string.CompareOrdinal(text, position, prefix.Key, 0, PrefixLength) == 0);
            if (cut.Key is not null)
                return shown.Append(cut.Value.Token).Append('…').ToString();
            shown.Append(text[position++]);
        }
        return shown.ToString();
    }

    private string ShowServiceClass(string service) =>
        s_serviceClasses.Contains(service) ? service : Replace("SERVICE", service);

    /// <summary>Shows the host of a service, with its port or its instance.</summary>
    private string ShowInstance(string instance)
    {
        if (instance.LastIndexOf(':') is not (> 0 and var colon) || System.Net.IPAddress.TryParse(instance, out _))
            return ShowHost(instance);
        var port = instance[(colon + 1)..];
        return int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? $"{ShowHost(instance[..colon])}:{port}"
            : $"{ShowHost(instance[..colon])}:{Replace("INSTANCE", port)}";
    }

    private string Replace(string kind, string name, params ReadOnlySpan<string> otherForms)
    {
        if (!IsAnonymous)
            return LabelledLines.ToPrintable(name);
        var replacement = GetReplacement(kind, name);
        AddForm(name, replacement, isDerived: false);
        AddForm(LabelledLines.ToPrintable(name), replacement, isDerived: false);
        foreach (var form in otherForms)
            AddForm(form, replacement, isDerived: true);
        return replacement.Get(name);
    }

    private Replacement GetReplacement(string kind, string name)
    {
        var key = (kind, name.ToUpperInvariant());
        if (!_replacements.TryGetValue(key, out var replacement))
        {
            var number = _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
            _replacements[key] = replacement = new Replacement(string.Create(CultureInfo.InvariantCulture, $"{kind}{number}"), name);
        }
        return replacement;
    }

    /// <param name="form">The text to replace.</param>
    /// <param name="replacement">What replaces it.</param>
    /// <param name="isDerived">Whether the form is only a part of the name. A form that is a name itself takes precedence.</param>
    private void AddForm(string form, Replacement replacement, bool isDerived)
    {
        if (form.Length == 0)
            return;
        if (isDerived)
            _forms.TryAdd(form, replacement);
        else
            _forms[form] = replacement;
    }

    private static bool IsAt(string text, int position, string form) =>
        string.Compare(text, position, form, 0, form.Length, StringComparison.OrdinalIgnoreCase) == 0
        && (form.Length >= MinimumLengthInsideWords
            || (!ContinuesWord(text, position - 1, form[0]) && !ContinuesWord(text, position + form.Length, form[^1])));

    private static bool ContinuesWord(string text, int neighbor, char edge) =>
        char.IsLetterOrDigit(edge) && neighbor >= 0 && neighbor < text.Length && char.IsLetterOrDigit(text[neighbor]);

    /// <param name="Token">What replaces the name.</param>
    /// <param name="Name">The name in its first spelling.</param>
    private sealed record Replacement(string Token, string Name)
    {
        /// <summary>Returns the token, in lower case for another spelling of the whole name.</summary>
        public string Get(string spelling) =>
            string.Equals(spelling, Name, StringComparison.OrdinalIgnoreCase) && spelling != Name ? Token.ToLowerInvariant() : Token;
    }
}
