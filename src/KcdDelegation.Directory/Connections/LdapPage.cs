namespace KcdDelegation.DirectoryServices.Connections;

/// <summary>The entries of one request.</summary>
/// <param name="Entries">The entries.</param>
/// <param name="Cookie">The cookie of the next page; empty after the last one.</param>
/// <param name="References">The number of references to other servers, which are not followed.</param>
internal sealed record LdapPage(IReadOnlyList<LdapEntry> Entries, ReadOnlyMemory<byte> Cookie, int References);
