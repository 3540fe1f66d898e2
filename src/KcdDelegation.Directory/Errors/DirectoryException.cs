using KcdDelegation.Kerberos.Names;
using KcdDelegation.DirectoryServices.Errors;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices;

/// <summary>A request to the directory failed. The message has the server, the cause and a remedy; it contains no secret.</summary>
public sealed class DirectoryException : Exception
{
    private const int MaxDetailLength = 512;

    internal DirectoryException(
        DirectoryFailure failure, string server, string detail, string remedy, Exception? inner = null, int? resultCode = null)
        : base($"{PrintableText.From(server, 255)}: {PrintableText.From(detail, MaxDetailLength)}. {remedy}", inner)
    {
        Failure = failure;
        ResultCode = resultCode;
        Server = server;
    }

    /// <summary>Gets the kind of the failure.</summary>
    public DirectoryFailure Failure { get; }

    /// <summary>Gets the server's result code (RFC 4511 §4.1.9), or null if no server refused.</summary>
    public int? ResultCode { get; }

    /// <summary>Gets the server that was asked, or the domain if none was found.</summary>
    public string Server { get; }

    /// <summary>Gets whether another server may answer the same request.</summary>
    internal bool IsOfOneServer => Failure is DirectoryFailure.Unavailable or DirectoryFailure.AnswerRejected
        || ResultCode is LdapResultCode.Busy or LdapResultCode.Unavailable;

    /// <summary>Gets whether the server refused the bind, which another ticket may change.</summary>
    internal bool IsOfTicket => ResultCode == LdapResultCode.InvalidCredentials
        || InnerException is KerberosException { Exchange: KerberosExchange.MutualAuthentication };

    /// <summary>Gets whether the KDC does not know the service principal name of the server.</summary>
    internal bool IsUnknownName => Failure == DirectoryFailure.NoTicket
        && InnerException is KerberosException { Code: KerberosErrorCode.ServicePrincipalUnknown };

    internal static DirectoryException Rejected(string server, string detail, Exception? inner = null) => new(
        DirectoryFailure.AnswerRejected, server, detail,
        "Check whether a device between this machine and the server changes the traffic, and that the server is a directory server", inner);

    internal static DirectoryException Unreachable(string server, string detail, Exception? inner = null) => new(
        DirectoryFailure.Unavailable, server, detail,
        "Check that this machine reaches the server on TCP port 389, or on 636 with TLS", inner);

    internal static DirectoryException Large(string server, string detail) => new(
        DirectoryFailure.TooLarge, server, detail, "Narrow the search, or raise the bound in DirectoryClientOptions");
}
