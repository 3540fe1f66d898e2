using System.Net;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.DirectoryServices;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Ldap;

/// <summary>A directory of the lab and what it contains. <c>tests/lab/README.md</c> lists the entries.</summary>
/// <param name="Part">The script that starts it.</param>
/// <param name="Realm">The realm of the reader and of the server.</param>
/// <param name="Server">The server, with the port of LDAP or null for 389.</param>
/// <param name="TlsPort">The port of LDAPS, or null for 636.</param>
/// <param name="Suffix">The distinguished name of the directory.</param>
/// <param name="People">The distinguished name above the many entries.</param>
/// <param name="Naming">The attribute that names them.</param>
/// <param name="Initial">The letter that their names start with, before four digits.</param>
/// <param name="Count">The number of these entries.</param>
/// <param name="Group">The group with 2,000 members.</param>
/// <param name="Photo">The attribute of the first entry that has all 256 byte values.</param>
/// <param name="Reader">The account that reads, and its keytab.</param>
/// <param name="Authority">The file of the authority that issued the certificate.</param>
internal sealed record LabDirectory(
    string Part, LabRealm Realm, DirectoryServer Server, int? TlsPort, string Suffix, string People, string Naming, string Initial,
    int Count, string Group, string Photo, (string Name, string Keytab) Reader, string Authority)
{
    public const int Members = 2000;

    public static readonly LabDirectory OpenLdap = new(
        "openldap", LabRealm.Mit, new DirectoryServer("ldap.mit.test", 10389, IPAddress.Parse("127.0.0.13")), 10636, "dc=directory,dc=test",
        "ou=people,dc=directory,dc=test", "uid", "u", 3000, "cn=everyone,ou=groups,dc=directory,dc=test", "jpegPhoto",
        ("HTTP/connector.mit.test", "connector"), "openldap/ca.pem");

    public static readonly LabDirectory Samba = CreateSamba(LabRealm.Samba, "dc1");

    public static readonly LabDirectory Samba22 = CreateSamba(LabRealm.Samba22, "dc22");

    public static IReadOnlyList<LabDirectory> All { get; } = [OpenLdap, Samba, Samba22];

    public bool IsSamba => Realm.Software == LabKdc.Samba;

    /// <summary>The entry that no reader may read.</summary>
    public string Closed => $"ou=closed,{Suffix}";

    public static LabDirectory Get(string part) => All.Single(directory => directory.Part == part);

    public string GetPerson(int number) => $"{Naming}={Initial}{number:0000},{People}";

    public void Require() => Lab.Require(Part, Realm.Part);

    /// <summary>Returns the server at its port for the protection.</summary>
    public DirectoryServer GetServer(bool useTls) => useTls ? Server with { Port = TlsPort } : Server;

    /// <summary>Returns an address of the server for a relay.</summary>
    public IPEndPoint GetEndPoint(bool useTls) => new(Server.Address!, GetServer(useTls).Port ?? (useTls ? 636 : 389));

    public X509Certificate2 LoadAuthority() => X509CertificateLoader.LoadCertificateFromFile(Lab.GetPath(Authority));

    private static LabDirectory CreateSamba(LabRealm realm, string host)
    {
        var suffix = string.Join(',', realm.Domain.Split('.').Select(label => "DC=" + label));
        var unit = "OU=directory," + suffix;
        return new LabDirectory(
            realm.Part, realm, new DirectoryServer($"{host}.{realm.Domain}", null, IPAddress.Parse(realm.Kdc.Host)), null, suffix, unit,
            "cn", "c", 2000, "CN=everyone," + unit, "thumbnailPhoto", ("conncomp$", "conncomp"), $"{realm.Part}/private/tls/ca.pem");
    }
}

/// <summary>How a reader binds: the mechanism, and whether Kerberos or TLS encrypts.</summary>
internal sealed record LabBind(string Name, DirectoryMechanism Mechanism, bool UseTls)
{
    public static IReadOnlyList<LabBind> All { get; } =
    [
        new("GSSAPI", DirectoryMechanism.Gssapi, false),
        new("GSS-SPNEGO", DirectoryMechanism.GssSpnego, false),
        new("GSSAPI in TLS", DirectoryMechanism.Gssapi, true),
        new("GSS-SPNEGO in TLS", DirectoryMechanism.GssSpnego, true),
    ];

    public static LabBind Get(string name) => All.Single(bind => bind.Name == name);
}

/// <summary>A client of a directory of the lab, with its reader.</summary>
internal sealed class LabReader : IAsyncDisposable
{
    private readonly ServiceAccount _account;
    private readonly S4UClient _reader;

    private LabReader(ServiceAccount account, S4UClient reader, DirectoryClientOptions options) =>
        (_account, _reader, Client) = (account, reader, new DirectoryClient(options));

    public DirectoryClient Client { get; }

    /// <summary>Creates the client.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="bind">How it binds.</param>
    /// <param name="servers">The servers, or none for the directory's own.</param>
    /// <param name="account">The reader's name and keytab, or null for the directory's.</param>
    /// <param name="configure">Changes the options.</param>
    public static LabReader Create(
        LabDirectory directory,
        LabBind bind,
        IReadOnlyList<DirectoryServer>? servers = null,
        (string Name, string Keytab)? account = null,
        Action<DirectoryClientOptions>? configure = null)
    {
        var (name, keytab) = account ?? directory.Reader;
        var realm = directory.Realm;
        var service = ServiceAccount.FromKeytab(name, realm.Keytab(keytab));
        var engine = new S4UClientOptions { Realm = realm.Realm, Account = service };
        engine.Kdcs[realm.Realm] = [realm.Kdc];
        var reader = new S4UClient(engine);
        var options = new DirectoryClientOptions
        {
            Reader = reader, Domain = realm.Domain, Mechanism = bind.Mechanism, UseTls = bind.UseTls,
        };
        foreach (var server in servers ?? [directory.GetServer(bind.UseTls)])
            options.Servers.Add(server);
        if (bind.UseTls)
            options.TrustAnchors.Add(directory.LoadAuthority());
        configure?.Invoke(options);
        return new LabReader(service, reader, options);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _reader.DisposeAsync();
        _account.Dispose();
    }
}
