using System.Formats.Asn1;

namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>The tags of RFC 4511 Appendix B.</summary>
internal static class LdapTags
{
    public static readonly Asn1Tag BindRequest = Application(0);
    public static readonly Asn1Tag BindResponse = Application(1);
    public static readonly Asn1Tag UnbindRequest = new(TagClass.Application, 2);
    public static readonly Asn1Tag SearchRequest = Application(3);
    public static readonly Asn1Tag SearchResultEntry = Application(4);
    public static readonly Asn1Tag SearchResultDone = Application(5);
    public static readonly Asn1Tag SearchResultReference = Application(19);
    public static readonly Asn1Tag ExtendedResponse = Application(24);

    public static Asn1Tag Context(int number) => new(TagClass.ContextSpecific, number);

    public static Asn1Tag ContextConstructed(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);

    private static Asn1Tag Application(int number) => new(TagClass.Application, number, isConstructed: true);
}
