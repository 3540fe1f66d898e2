using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests;

/// <summary>The KDCs of <c>mit-faults</c>: they serve MIT.TEST from the same database, each with a quirk. The script's first argument
/// is the name of one, the second stop, cont, kill, start or restart.</summary>
internal static class LabFaults
{
    /// <summary>A second KDC of the realm (<c>kdc2</c>).</summary>
    public static readonly KdcEndpoint Second = new("127.0.0.2", 10188);

    /// <summary>Does not listen on UDP (<c>tcponly</c>).</summary>
    public static readonly KdcEndpoint TcpOnly = new("127.0.0.4", 10288);

    /// <summary>Answers over UDP with KRB_ERR_RESPONSE_TOO_BIG beyond 300 bytes (<c>toobig</c>).</summary>
    public static readonly KdcEndpoint TooBigForUdp = new("127.0.0.5", 10388);

    /// <summary>Its clock is ten minutes ahead (<c>skew</c>).</summary>
    public static readonly KdcEndpoint TenMinutesAhead = new("127.0.0.7", 10588);

    /// <summary>The second domain controller of AD.TEST (<c>samba-dc2</c>).</summary>
    public static readonly KdcEndpoint SecondOfAd = new("127.0.0.11");
}

/// <summary>Web servers other than the realms' Apache. Each checks tickets for <c>HTTP/web.mit.test</c> unless it says otherwise.</summary>
internal static class LabWeb
{
    /// <summary>Apache with a replay cache: the same token is refused the second time (<c>web</c>).</summary>
    public static readonly Uri ReplayCache = new("http://127.0.0.1:10086/spnego/");

    /// <summary>nginx (<c>nginx</c>).</summary>
    public static readonly Uri Nginx = new("http://127.0.0.1:10082/");

    /// <summary>nginx for <c>HTTP/web.ad22.test</c> (<c>nginx</c>).</summary>
    public static readonly Uri NginxOfAd22 = new("http://127.0.0.1:10083/");

    /// <summary>Java's JGSS (<c>acceptors</c>).</summary>
    public static readonly Uri Java = new("http://127.0.0.1:10090/");

    /// <summary>Java's JGSS over TLS; under <c>cb</c> a token must carry this certificate's binding (<c>acceptors</c>).</summary>
    public static readonly Uri JavaTls = new("https://127.0.0.1:10491/");

    /// <summary>MIT's GSSAPI over TLS; under <c>cb</c> a binding must be right if there is one, under <c>cbreq</c> there must be one
    /// (<c>acceptors</c>).</summary>
    public static readonly Uri PythonTls = new("https://127.0.0.1:10492/");

    /// <summary>The certificate of every TLS server of the lab, signed by itself.</summary>
    public static string CertificatePath => Lab.GetPath("web/tls.pem");
}
