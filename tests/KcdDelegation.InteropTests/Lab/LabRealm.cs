using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests;

/// <summary>The software behind a realm of the lab.</summary>
internal enum LabKdc
{
    /// <summary>MIT krb5kdc over OpenLDAP.</summary>
    Mit,

    /// <summary>Heimdal's kdc.</summary>
    Heimdal,

    /// <summary>A Samba Active Directory domain controller.</summary>
    Samba,
}

/// <summary>One realm of the lab: where its KDC listens and what its accounts are called. <c>tests/lab/README.md</c> lists them
/// all.</summary>
/// <param name="Part">The script that starts it, which is also the name under which it is required.</param>
/// <param name="Realm">The Kerberos realm.</param>
/// <param name="Software">What answers.</param>
/// <param name="Kdc">The KDC, over TCP; UDP is <c>Kdc with { Transport = KdcTransport.Udp }</c>.</param>
/// <param name="HttpPort">Of the Apache that checks tickets for <c>HTTP/web.DOMAIN</c>, at 127.0.0.1; 0: there is none.</param>
/// <param name="HttpsPort">The same with TLS.</param>
internal sealed record LabRealm(string Part, string Realm, LabKdc Software, KdcEndpoint Kdc, int HttpPort, int HttpsPort)
{
    public static readonly LabRealm Mit = new("mit", "MIT.TEST", LabKdc.Mit, new("127.0.0.1", 10088), 10080, 10443);
    public static readonly LabRealm Mit2 = new("mit2", "MIT2.TEST", LabKdc.Mit, new("127.0.0.3", 10088), 10084, 10446);
    public static readonly LabRealm Mit21 = new("mit21", "MIT21.TEST", LabKdc.Mit, new("127.0.0.8", 10088), 0, 0);
    public static readonly LabRealm Heimdal = new("heimdal", "HEIMDAL.TEST", LabKdc.Heimdal, new("127.0.0.9", 10088), 0, 0);
    public static readonly LabRealm Samba = new("samba", "AD.TEST", LabKdc.Samba, new("127.0.0.10"), 10081, 10444);
    public static readonly LabRealm Samba22 = new("samba22", "AD22.TEST", LabKdc.Samba, new("127.0.0.12"), 10085, 10445);
    public static readonly LabRealm Partner = new("trust", "PARTNER.TEST", LabKdc.Samba, new("127.0.0.20"), 0, 0);

    /// <summary>Every realm.</summary>
    public static IReadOnlyList<LabRealm> All { get; } = [Mit, Mit2, Mit21, Heimdal, Samba, Samba22, Partner];

    /// <summary>Every part of the lab, realms and the rest.</summary>
    public static IReadOnlyList<string> AllParts { get; } =
        [.. All.Select(realm => realm.Part), "samba-dc2", "samba-roll", "openldap", "mit-faults", "web", "nginx", "acceptors", "provider"];

    /// <summary>The realm's DNS domain, which is its name in lower case.</summary>
    public string Domain => Realm.ToLowerInvariant();

    /// <summary>The account that may delegate to the targets on its list, with protocol transition; its keytab is
    /// <c>connector</c>.</summary>
    public string Connector => GetAccount("connector");

    /// <summary>The realm whose script has that name: what a theory's row names.</summary>
    public static LabRealm Get(string part) => All.Single(realm => realm.Part == part);

    /// <summary>The name under which a delegating account logs on. MIT and Heimdal know it by its service principal; a domain controller by
    /// sAMAccountName only (it answers an AS-REQ for an SPN with KDC_ERR_C_PRINCIPAL_UNKNOWN).</summary>
    /// <param name="account">connector, connector-notrans, rbcdonly...</param>
    public string GetAccount(string account) => Software != LabKdc.Samba
        ? $"HTTP/{account}.{Domain}"
        : account == "connector-notrans" ? "svc-notrans" : $"svc-{account}";

    /// <summary><c>HTTP/HOST.DOMAIN</c>.</summary>
    public string Spn(string host) => $"HTTP/{host}.{Domain}";

    /// <summary>A keytab of the realm by its name: connector, connector-notrans, rbcdonly, web...</summary>
    public string Keytab(string name) => Lab.GetPath($"{Part}/kt/{name}.keytab");

    /// <summary>A page of the realm's Apache: <c>spnego/</c>, <c>krb5only/</c>, <c>oneshot/</c>, <c>session/</c>.</summary>
    public Uri Web(string path) => new($"http://127.0.0.1:{HttpPort}/{path}");

    /// <summary>The same over TLS; the certificate is <c>web/tls.pem</c> of the lab's state.</summary>
    public Uri WebTls(string path) => new($"https://127.0.0.1:{HttpsPort}/{path}");

    /// <summary>Skips or fails the running test unless the realm is up.</summary>
    public void Require() => Lab.Require(Part);

    /// <summary>Skips or fails the running test unless the realm and its Apache are up.</summary>
    public void RequireWeb() => Lab.Require(Part, "web");

    /// <inheritdoc/>
    public override string ToString() => Part;
}
