namespace KcdDelegation.DirectoryServices.Connections;

/// <summary>The end of one request's answer.</summary>
/// <param name="Cookie">The cookie of the next page; empty after the last one.</param>
/// <param name="References">The number of references to other servers, which are not followed.</param>
internal sealed record LdapPage(ReadOnlyMemory<byte> Cookie, int References);
