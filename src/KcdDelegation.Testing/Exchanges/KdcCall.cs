using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>A principal and its realm, as in requests and tickets.</summary>
internal sealed record ClientName(PrincipalName Name, string Realm)
{
    public override string ToString() => $"{Name}@{Realm}";
}

/// <summary>One request and its line in the transcript.</summary>
internal sealed class KdcCall(KdcRequestMessage request, DateTimeOffset now)
{
    public KdcRequestMessage Request => request;
    public KdcRequestBody Body { get; } = KdcRequestBody.Decode(request.EncodedBody);
    public DateTimeOffset Now => now;

    /// <summary>The TGT and keys of a TGS request, once they were verified.</summary>
    public TgsHeader? Header { get; set; }

    public KerberosExchange Exchange { get; private set; }
    public string Line { get; private set; } = "";

    /// <summary>A first AS-REQ without pre-authentication. Every KDC refuses it, so it is not in the transcript.</summary>
    public bool IsOpening { get; set; }

    public bool Asks(KdcOptionFlags option) => (Body.Options & option) == option;

    public void Describe(KerberosExchange exchange, string line) => (Exchange, Line) = (exchange, line);
}
