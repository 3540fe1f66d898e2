namespace KcdDelegation.Gateway.Settings;

/// <summary>The texts of the pages that users see.</summary>
internal sealed class PageOptions
{
    /// <summary>Gets or sets the contact, such as <c>the IT service desk</c>. The text continues the word "contact".</summary>
    public string Contact { get; set; } = "your IT service desk";

    /// <summary>Gets or sets the address of the contact: <c>https</c>, <c>mailto</c> or <c>tel</c>; null for none.</summary>
    public Uri? ContactAddress { get; set; }
}
